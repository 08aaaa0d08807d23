"""The addresses: a gate's verdict, what gates there are, health, reload."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from readiness_pipelines.errors import (
    GateBuildError,
    LedgerError,
    NotAuthenticatedError,
    ReadinessError,
    RequestRefusedError,
    UnknownNameError,
    UpstreamNotPublishedError,
)
from readiness_pipelines.gates import RecordVerdict
from readiness_pipelines.limits import Limits
from readiness_pipelines.masking import handling, quoted
from readiness_pipelines.masking.messages import MaskedError
from readiness_pipelines.serve_settings import Serve
from readiness_pipelines.serving.answers import as_bytes, error_value, record_value, verdict_value
from readiness_pipelines.serving.features import Features, WantedFeatures, as_key
from readiness_pipelines.serving.openapi import openapi
from readiness_pipelines.serving.references import References
from readiness_pipelines.serving.requests import Receive, parse_body, read_body
from readiness_pipelines.serving.sampling import Sample
from readiness_pipelines.serving.tables import ServedTable
from readiness_pipelines.serving.tokens import Tokens
from readiness_pipelines.version import __version__

Send = Callable[[Any], Awaitable[None]]
Scope = Mapping[str, Any]
Headers = Mapping[bytes, bytes]

LOG = logging.getLogger(__name__)

_TURN_SECONDS = 0.002
"""A request with many records lets others have a turn after so long."""
_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What answers.

    Attributes:
        tables: The tables, by name.
        serve: How.
        limits: What one record may demand.
        tokens: Who may ask.
        references: What the rules refer to.
        features: The feature views whose latest values can be looked up.
        sample: What is kept of the verdicts.
        reload: Asks for the gates as the code has them now; ``None`` where nobody can.
        status: Says which loading of the code this is, and what became of later ones.
    """

    tables: Mapping[str, ServedTable]
    serve: Serve
    limits: Limits = field(default_factory=Limits)
    tokens: Tokens = field(default_factory=lambda: Tokens({}))
    references: References = field(default_factory=lambda: References((), most_rows=0))
    features: Features = field(default_factory=Features)
    sample: Sample = field(default_factory=lambda: Sample(0, "."))
    reload: Callable[[], None] | None = None
    status: Callable[[], Mapping[str, Any]] = dict


def build_app(service: Service) -> Starlette:
    """The application."""
    document = as_bytes(openapi(service.tables, service.serve, service.features.views))
    return Starlette(
        routes=[
            Route("/gates/{table}/check", _Answering(service, _Check(service)), methods=["POST"]),
            Route("/features/{view}", _Answering(service, _Features(service)), methods=["POST"]),
            Route("/gates", _Answering(service, _Gates(service)), methods=["GET"]),
            Route("/reload", _Answering(service, _Reload(service)), methods=["POST"]),
            Route("/openapi.json", _Answering(service, _Document(document)), methods=["GET"]),
            Route("/health", _Health(service), methods=["GET"]),
        ],
        exception_handlers={404: _not_there, 405: _not_so},
    )


Answer = tuple[int, bytes]


class _Answering:
    """Who asks is proved first, and what goes wrong is JSON."""

    def __init__(self, service: Service, answer: Callable[[Scope, Receive, Headers, str], Awaitable[Answer]]) -> None:
        self._tokens = service.tokens
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        also: tuple[tuple[bytes, bytes], ...] = ()
        try:
            caller = self._tokens.name_of(headers.get(b"authorization", b""))
            if caller is None:
                raise NotAuthenticatedError(
                    "no token proves who asks", way_out="send the header: Authorization: Bearer …"
                )
            status, body = await self._answer(scope, receive, headers, caller)
        except ReadinessError as error:
            status, body = _status_of(error), as_bytes(error_value(error))
            if status == _NOT_AUTHENTICATED:
                also = ((b"www-authenticate", b"Bearer"),)
            if status in _UNREAD:
                also = (*also, (b"connection", b"close"))  # the rest of the body is not read
        except Exception as error:  # whatever it says may quote a record
            LOG.error("a request broke: %s", quoted(error))
            broken = RequestRefusedError(500, "the request broke", way_out="the server's log says where")
            status, body = broken.status, as_bytes(error_value(broken))
        await _send(send, status, body, also)


class _Check:
    """Judges the records of a request."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, headers: Headers, caller: str) -> Answer:
        service = self._service
        name = scope["path_params"]["table"]
        served = service.tables.get(name)
        if served is None:
            raise UnknownNameError("table", name[:200], service.tables)
        body = await read_body(receive, headers, service.serve)
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        asked = parse_body(body, kind, service.serve, service.limits)
        shows = b"record=true" in scope["query_string"].split(b"&")
        wanted = service.features.wanted(scope["query_string"])
        answers, typed = await self._verdicts(served, asked.records, caller, shows=shows)
        if wanted:
            await self._attach(answers, asked.records, typed, wanted)
        about: dict[str, Any] = {"table": served.name, "version": served.version}
        if served.references:
            about["references"] = service.references.shown(served.name)
        return 200, as_bytes({**about, **answers[0]} if asked.alone else {**about, "verdicts": answers})

    async def _verdicts(
        self, served: ServedTable, records: Sequence[Mapping[str, Any] | str], caller: str, *, shows: bool
    ) -> tuple[list[dict[str, Any]], list[Mapping[str, Any]]]:
        began = turn = time.monotonic()
        answers, typed = [], []
        for record in records:
            verdict = self._verdict(served, record)
            answer = verdict_value(verdict)
            typed.append(verdict.record)
            if shows:
                answer["record"] = record_value(verdict.record, served.classes)
            answers.append(answer)
            self._service.sample.add(served, caller, None if isinstance(record, str) else record, verdict)
            now = time.monotonic()
            if now - began > self._service.serve.most_seconds:
                raise RequestRefusedError(
                    503,
                    f"the verdict took longer than {self._service.serve.most_seconds:g} s",
                    way_out="send fewer records at once",
                )
            if now - turn > _TURN_SECONDS:
                await asyncio.sleep(0)
                turn = time.monotonic()
        return answers, typed

    async def _attach(
        self,
        answers: Sequence[dict[str, Any]],
        records: Sequence[Mapping[str, Any] | str],
        typed: Sequence[Mapping[str, Any]],
        wanted: Sequence[WantedFeatures],
    ) -> None:
        """Give each answer the latest values of the views: by the typed record's columns, else by those as sent."""
        features = self._service.features
        whole = [{**({} if isinstance(sent, str) else sent), **one} for sent, one in zip(records, typed, strict=True)]
        for one in wanted:
            name, about = str(one.view.id), await features.about(one.view)
            keys = await features.usable_keys(one, whole)
            found = await features.look_up(one.view, [key for key, _ in keys])
            for answer, (key, why), values in zip(answers, keys, found, strict=True):
                shown = values if key is not None else {"status": "unknown", "values": {}, "why": why}
                answer.setdefault("features", {})[name] = {
                    **shown,
                    "kept_at": about["kept_at"],
                    "stale": about["stale"],
                }

    def _verdict(self, served: ServedTable, record: Mapping[str, Any] | str) -> RecordVerdict:
        service = self._service
        known, limits = service.references.known(served.name), service.limits
        try:
            with handling(served.classes):
                if isinstance(record, str):
                    return served.gate.unreadable(record)
                return served.gate.check_parsed(record, limits=limits, named=served.named, known=known)
        except ReadinessError:
            raise
        except MaskedError as error:
            raise _cannot(served, str(error)) from None
        except Exception as error:  # a check is somebody's own code: whatever it raises, the answer is JSON
            raise _cannot(served, f"{type(error).__name__}") from error


def _cannot(served: ServedTable, why: str) -> GateBuildError:
    return GateBuildError(
        f"the gate of {served.name} cannot be evaluated on the record: {why}",
        way_out=f"try the record with the gate in a test; who answers for it: {served.table.domain.owner}",
    )


class _Features:
    """The latest values of a feature view for the keys of a request."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, headers: Headers, _caller: str) -> Answer:
        service = self._service
        view = service.features.view(scope["path_params"]["view"])
        body = await read_body(receive, headers, service.serve)
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        asked = parse_body(body, kind, service.serve, service.limits)
        keys = [as_key(one) for one in asked.records]
        about = await service.features.about(view)
        found = await service.features.look_up(view, keys)
        return 200, as_bytes({**about, **found[0]} if asked.alone else {**about, "found": found})


class _Gates:
    """The gates, their versions, and what they refer to."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, _scope: Scope, _receive: Receive, _headers: Headers, _caller: str) -> Answer:
        service = self._service
        sample = {"kept": service.sample.kept, "lost": service.sample.lost}
        gates = [
            {"table": name, "version": one.version, "references": service.references.shown(name)}
            for name, one in service.tables.items()
        ]
        views = list(service.features.views)
        return 200, as_bytes({"gates": gates, "features": views, "sample": sample, **service.status()})


class _Reload:
    """Asks for the gates as the code has them now; the answer does not wait for them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, _scope: Scope, _receive: Receive, _headers: Headers, _caller: str) -> Answer:
        if self._service.reload is None:
            raise RequestRefusedError(503, "nothing here reloads", way_out="start it with: readiness serve")
        self._service.reload()
        return 202, as_bytes({"reloading": True})


class _Document:
    """The OpenAPI document."""

    def __init__(self, document: bytes) -> None:
        self._document = document

    async def __call__(self, _scope: Scope, _receive: Receive, _headers: Headers, _caller: str) -> Answer:
        return 200, self._document


class _Health:
    """Whether it answers. Without a token, so it says nothing of the tables."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        status = self._service.status()
        shown = {"generation": status.get("generation"), "reload_failed": "reload_error" in status}
        await _send(send, 200, as_bytes({"status": "ok", "version": __version__, **shown}))


_NOT_AUTHENTICATED = 401
_UNREAD = (401, 408, 413)


def _status_of(error: ReadinessError) -> int:
    match error:
        case RequestRefusedError():
            return error.status
        case NotAuthenticatedError():
            return _NOT_AUTHENTICATED
        case UnknownNameError():
            return 404
        case GateBuildError():
            return 500
        case UpstreamNotPublishedError() | LedgerError():
            return 503
        case _:
            return 422


async def _send(send: Send, status: int, body: bytes, also: Sequence[tuple[bytes, bytes]] = ()) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length, *also]})
    await send({"type": "http.response.body", "body": body})


async def _not_there(_request: Any, _error: Exception) -> Any:
    return _response(404, "there is nothing at this address", "GET /openapi.json lists the addresses")


async def _not_so(_request: Any, _error: Exception) -> Any:
    return _response(405, "the address is not asked so", "GET /openapi.json says how")


def _response(status: int, what: str, way_out: str) -> Any:
    from starlette.responses import Response  # noqa: PLC0415  # for what nobody should ask

    error = RequestRefusedError(status, what, way_out=way_out)
    return Response(as_bytes(error_value(error)), status_code=status, media_type="application/json")
