"""What every request passes, and what every answer carries: no strange host, no forged form, nothing that runs."""

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from readiness_pipelines.errors import DeclarationError, NotAuthenticatedError
from readiness_pipelines.web.site import Site

TOKEN_COOKIE = "readiness_form"  # noqa: S105  # its name
TOKEN_FIELD = "form_token"  # noqa: S105  # as above
MOST_BYTES = 1_000_000
"""So long may be what is sent to a page: 200,000 cells are given on the command line."""

MOST_FIELDS = 5_000

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing runs and nothing is styled that is not a file of ours: what is in a cell or a file's name is text."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Form:
    """What was sent with a form: each field may be there more than once."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self.fields = fields

    def one(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return self.fields.get(name, [default])[-1]

    def __contains__(self, name: str) -> bool:
        return name in self.fields


class Guard:
    """Wraps the pages."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it comes by a name that is not ours."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if _host(headers.get("host", "")) not in self._site.reached_as:
            answer = PlainTextResponse(
                "This page is not reached by that name. Set READINESS_WEB_URL to the address at which it is.\n", 421
            )
            await answer(scope, receive, send)
            return
        own = _token(HTTPConnection(scope))
        token = own or secrets.token_urlsafe(32)
        scope.setdefault("state", {})["form_token"] = token

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    given[name] = value
                if "cache-control" not in given:
                    given["cache-control"] = "no-store"
                if not own:
                    secure = "; Secure" if self._site.secure else ""
                    path = self._site.root or "/"
                    cookie = f"{TOKEN_COOKIE}={token}; Path={path}; HttpOnly; SameSite=Strict{secure}"
                    given.append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_guarded)


async def read_form(request: Request) -> Form:
    """Read a form, and see that a page of ours sent it.

    Raises:
        NotAuthenticatedError: It came from elsewhere, or its token is not that of this browser.
        DeclarationError: It is too long, or not a form.
    """
    check_origin(request)
    body = await read_body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise DeclarationError(f"a form is not sent as {kind or 'nothing'}", way_out="send it from the page")
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # not UTF-8, or too many fields
        raise DeclarationError("the form cannot be read", way_out="send it again from the page") from None
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    form = Form(fields)
    own = _token(request)
    if not own or not hmac.compare_digest(own.encode(), form.one(TOKEN_FIELD).encode()):
        raise NotAuthenticatedError(
            "this form is not one of this browser's", way_out="load the page again, with cookies allowed, and repeat"
        )
    return form


def check_origin(request: Request) -> None:
    """Refuse what another site's page sends.

    Raises:
        NotAuthenticatedError: It does.
    """
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    host = request.headers.get("host", "")
    foreign = site not in ("", "same-origin", "none") or (origin != "" and urlsplit(origin).netloc != host)
    if foreign:
        raise NotAuthenticatedError("another site sent this", way_out="open the page itself, and repeat it there")


async def read_body(request: Request) -> bytes:
    """What was sent, if it is not too long.

    Raises:
        DeclarationError: It is.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise DeclarationError(
                f"more than {MOST_BYTES:,} bytes were sent", way_out="readiness quarantine correct … --file"
            )
    return bytes(body)


def _host(named: str) -> str:
    """The name in a ``Host`` header, without its port."""
    return (urlsplit(f"//{named}").hostname or "") if named.isascii() else ""


def _token(sent: HTTPConnection) -> str:
    """The token that a browser has, whatever other cookies there are: those of all programs of a host come together."""
    return sent.cookies.get(TOKEN_COOKIE, "")
