"""Which page of a long list somebody looks at."""

from starlette.requests import Request

from readiness_pipelines.web.numbers import whole_number

MOST = 1_000_000


def page_number(request: Request, name: str = "page") -> int:
    """The number that an address names, from 0; 0 for what is not a number."""
    text = request.query_params.get(name, "0")
    return min(whole_number(text) or 0, MOST)
