"""The web page as an application: its addresses, what every request passes, and errors as pages."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from readiness_pipelines.errors import DeclarationError, ReadinessError
from readiness_pipelines.web.api import API_ADDRESSES, ApiAddress, json_response, openapi
from readiness_pipelines.web.failures import error_value, status_of
from readiness_pipelines.web.guard import Form, Guard, check_origin, read_body, read_form
from readiness_pipelines.web.pages import (
    batch,
    catalog,
    column,
    decide,
    inbox,
    incident,
    models,
    product,
    replay,
    scorecard,
    table,
    today,
    training_set,
)
from readiness_pipelines.web.pages import map as map_page
from readiness_pipelines.web.rendering import STATIC, page
from readiness_pipelines.web.site import Site
from readiness_pipelines.web.warming import warm

Show = Callable[[Request, Site], Response]
Act = Callable[[Request, Site, Form], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

_BATCH = "/{domain}/{table}/{batch:path}"

PAGES: tuple[tuple[str, Show], ...] = (
    ("/", today.show),
    ("/news", today.news),
    ("/inbox", inbox.show),
    (f"/batches{_BATCH}", batch.show),
    (f"/decide{_BATCH}", decide.show),
    ("/replays/{request}", replay.show),
    ("/replays/{request}/progress", replay.progress),
    ("/incidents", incident.show_all),
    ("/incidents/{incident}", incident.show),
    ("/products/{domain}/{product}", product.show),
    ("/tables/{domain}/{table}", table.show),
    ("/tables/{domain}/{table}/quality", table.quality),
    ("/columns/{domain}/{table}/{column:path}", column.show),
    ("/catalog", catalog.show),
    ("/map", map_page.show),
    ("/models", models.show_all),
    ("/models/{domain}/{model}", models.show),
    ("/training-sets/{domain}/{training_set}", training_set.show),
    ("/scorecard", scorecard.show),
)
"""What may be looked at."""

ACTS: tuple[tuple[str, Act], ...] = (
    (f"/take{_BATCH}", inbox.take),
    (f"/reveal{_BATCH}", batch.reveal),
    (f"/decide{_BATCH}", decide.decide),
    (f"/outcome{_BATCH}", decide.outcome),
    ("/replays/{request}", replay.again),
    ("/incidents/{incident}", incident.act),
    ("/retrainings/{request}", models.decide),
)
"""What may be done: forms that are sent."""


def build_app(site: Site, *, ready: Callable[[], None] = lambda: None) -> Starlette:
    """The web page of a site, as an ASGI application.

    Args:
        site: What is shown.
        ready: Is called once at its start, when all is known that the first look needs.
    """
    routes: list[BaseRoute] = [
        *(Route(path, _looking(show, site), methods=["GET"]) for path, show in PAGES),
        *(Route(path, _acting(act, site), methods=["POST"]) for path, act in ACTS),
        Route("/api/openapi.json", _described(site), methods=["GET"]),
        *(
            Route(f"/api{one.path}", _answering(one, site), methods=["POST" if one.acts else "GET"])
            for one in API_ADDRESSES
        ),
        Mount("/static", _Static(directory=STATIC), name="static"),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(warm, site)
        ready()
        yield
        site.now.close()

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, ReadinessError)  # noqa: S101  # as it is registered
        return await run_in_threadpool(_failure, request, site, error)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # as above
        return await run_in_threadpool(_refusal, request, site, error)

    async def crashed(request: Request, _error: Exception) -> Response:
        what = "Something broke that should not have; the log of this process says what."
        return await run_in_threadpool(_page, request, site, 500, heading="This broke", what=what, way_out="")

    return Starlette(
        routes=routes if not site.root else [Mount(site.root, routes=routes), *routes],
        middleware=[Middleware(Guard, site=site)],
        exception_handlers={ReadinessError: failed, HTTPException: refused, 500: crashed},
        lifespan=lifespan,
    )


class _Static(StaticFiles):
    """Files that stay as they are as long as the version does."""

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=86400"
        return response


def _looking(show: Show, site: Site) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(show, request, site)

    return endpoint


def _acting(act: Act, site: Site) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        form = await read_form(request)
        return await run_in_threadpool(act, request, site, form)

    return endpoint


def _described(site: Site) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        return json_response(openapi(site))

    return endpoint


def _answering(answer: ApiAddress, site: Site) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if not answer.acts:
            return json_response(await run_in_threadpool(answer.give, request, site))
        check_origin(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # what a strange page's form can send without being asked first is refused
            raise DeclarationError(f"JSON is not sent as {kind or 'nothing'}", way_out="send application/json")
        try:
            sent = json.loads(await read_body(request))
        except (ValueError, RecursionError):
            sent = None
        if not isinstance(sent, dict):
            raise DeclarationError("what was sent is not a JSON object", way_out="see /api/openapi.json")
        return json_response(await run_in_threadpool(answer.give, request, site, sent))

    return endpoint


def _failure(request: Request, site: Site, error: ReadinessError) -> Response:
    status = status_of(error, looking=request.method == "GET")
    if _for_programs(request, site):
        return json_response(error_value(error), status)
    heading = {403: "This is refused", 404: "This is not there", 503: "This cannot be said now"}.get(
        status, "This cannot be done"
    )
    return _page(request, site, status, heading=heading, what=error.what, way_out=error.way_out)


def _refusal(request: Request, site: Site, error: HTTPException) -> Response:
    if _for_programs(request, site):
        value = {"error": error.detail, "code": "http", "way_out": f"see {site.root}/api/openapi.json"}
        return json_response(value, error.status_code)
    heading = "This page is not there" if error.status_code == 404 else error.detail  # noqa: PLR2004  # not found
    return _page(request, site, error.status_code, heading=heading, what="No page has this address.", way_out="")


def _page(request: Request, site: Site, status: int, *, heading: str, what: str, way_out: str) -> Response:
    try:
        return page("failure", request, site, status=status, heading=heading, what=what, way_out=way_out)
    except ReadinessError as error:  # a token that proves nothing breaks every page, also this one
        return Response(f"{error}\n", status, media_type="text/plain; charset=utf-8")


def _for_programs(request: Request, site: Site) -> bool:
    return request.url.path.startswith((f"{site.root}/api/", "/api/"))
