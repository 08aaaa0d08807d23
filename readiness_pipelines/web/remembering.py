"""The name that somebody gave who is not proved, kept in their browser."""

from starlette.responses import Response

from readiness_pipelines.web.guard import Form
from readiness_pipelines.web.people import MOST_CHARACTERS, NAME_COOKIE, Visitor
from readiness_pipelines.web.site import Site

YEAR = 365 * 24 * 3600


def remember_name(response: Response, site: Site, visitor: Visitor, form: Form) -> Response:
    """Keep the name that a form gave, unless it is proved; a name that no cookie can hold is typed again."""
    name = form.one("who").strip()[:MOST_CHARACTERS]
    if name and not visitor.proved and name.isascii() and name.isprintable():
        response.set_cookie(
            NAME_COOKIE,
            name,
            max_age=YEAR,
            path=site.root or "/",
            secure=site.secure,
            httponly=True,
            samesite="strict",
        )
    return response
