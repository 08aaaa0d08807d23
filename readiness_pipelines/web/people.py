"""Who is at the browser: whom the proxy or a token proves; else who they say they are, which is kept as unproved."""

from dataclasses import dataclass

from starlette.requests import Request

from readiness_pipelines.errors import NotAuthenticatedError
from readiness_pipelines.identity import Identity, proved_name, who_acts
from readiness_pipelines.web.site import Site

NAME_COOKIE = "readiness_name"
"""Keeps the name that somebody gave who is not proved, so that it is typed once."""

MOST_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page.

    Attributes:
        name: Their name; "" where nothing says who it is.
        proved: Whether the proxy or a token proves it.
        may_act: Whether they may decide.
        why_not: Why they may not, for people; "" where they may.
    """

    name: str
    proved: bool
    may_act: bool
    why_not: str = ""


def visitor_of(request: Request, site: Site) -> Visitor:
    """Who looks.

    Raises:
        NotAuthenticatedError: A token that proves nothing.
        DeclarationError: A token, and no settings to prove it by.
    """
    identity = site.settings.identity
    name = _proved(request, identity)
    proved = bool(name)
    name = name or request.cookies.get(NAME_COOKIE, "").strip()[:MOST_CHARACTERS]
    why_not = ""
    if site.read_only:
        why_not = "This page was started to be looked at only."
    elif identity.required and not proved:
        why_not = "Nothing proves who you are, and decisions need that: come through the proxy, or with a token."
    return Visitor(name=name, proved=proved, may_act=not why_not, why_not=why_not)


def acting(visitor: Visitor, site: Site, said: str) -> str:
    """Who acts, as it is kept.

    Args:
        visitor: Who is at the browser.
        site: How it is proved.
        said: The name that they gave, where nothing proves it.

    Raises:
        NotAuthenticatedError: They may not act, or gave no name.
    """
    if not visitor.may_act:
        raise NotAuthenticatedError(visitor.why_not, way_out="look at the batch, and let somebody decide who may")
    if visitor.proved:
        return visitor.name
    name = (said or visitor.name).strip()[:MOST_CHARACTERS]
    if not name:
        raise NotAuthenticatedError("nobody is named who decides", way_out="write your name into the form")
    return who_acts(site.settings.identity, token="", said=name)


def _proved(request: Request, identity: Identity) -> str:
    if identity.header and (named := request.headers.get(identity.header, "").strip()):
        return named
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    # A proxy may pass on what it asked for: a name and a password are no token.
    if scheme.lower() == "bearer" and token.strip():
        return proved_name(identity, token.strip())
    return ""


def check_proved(visitor: Visitor, site: Site) -> None:
    """Refuse to show classified values to somebody who could be anybody, where it can be proved who it is.

    Raises:
        NotAuthenticatedError: They are not proved.
    """
    identity = site.settings.identity
    if not visitor.proved and (identity.header or identity.issuer or identity.required):
        raise NotAuthenticatedError(
            "nothing proves who you are, and classified values are shown to people alone who are known",
            way_out="come through the proxy, or with a token",
        )
