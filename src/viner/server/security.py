"""What the server refuses, and the headers that tell browsers what to refuse: pure ASGI, so that streams stay streams."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viner.server.errors import RequestError, error_response

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
_SPACE_PARENTS = "https://huggingface.co https://*.huggingface.co"
# Gradio's page evaluates its templates and styles itself; everything still comes from this server alone.
_PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
# The annotation page and the login run nothing but their own files.
_STRICT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'"
)
_API_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class SecurityHeaders:
    """Adds the security headers to every answer and removes whatever would open it to other origins.

    Args:
        app: The app behind it.
        space: Whether the page may be framed by huggingface.co; otherwise nobody may frame it.
    """

    def __init__(self, app: ASGIApp, *, space: bool) -> None:
        self._app = app
        self._space = space

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        api = path.startswith(("/api/", "/annotate/api/"))
        strict = path.startswith(("/annotate", "/login"))
        policy = _API_POLICY if api else _STRICT_POLICY if strict else _PAGE_POLICY

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.lower().startswith("access-control-")]:
                    del headers[name]
                headers["Content-Security-Policy"] = f"{policy}; {self._frame_ancestors}"
                headers["Referrer-Policy"] = "same-origin"
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
                if not self._space:
                    headers["X-Frame-Options"] = "DENY"
                if api:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, secured)

    @property
    def _frame_ancestors(self) -> str:
        return f"frame-ancestors 'self' {_SPACE_PARENTS}" if self._space else "frame-ancestors 'none'"


class SameOrigin:
    """Refuses requests by which another site could act in a visitor's name.

    An unsafe method needs an ``Origin`` of this host when the request carries a cookie; a foreign ``Origin`` is refused in any
    case. Programs, which send neither, pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http" or scope["method"] in _SAFE_METHODS or self._allowed(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = RequestError(
            403,
            "foreign_origin",
            "the request comes from another site",
            where="Origin",
            hint="Call the API from a program without cookies, or from a page of this host",
        )
        await error_response(refusal)(scope, receive, send)

    @staticmethod
    def _allowed(headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return "cookie" not in headers
        # A proxy that renames the host says so in X-Forwarded-Host, which a page of another site cannot send unasked.
        hosts = {headers.get("host", ""), headers.get("x-forwarded-host", "").split(",")[0].strip()} - {""}
        return any(same_host(origin, host) for host in hosts)


def same_host(origin: str, host: str) -> bool:
    """Whether an ``Origin`` (``scheme://host[:port]``) names the host of a ``Host`` header (``host[:port]``)."""
    try:
        ours, theirs = urlsplit(f"//{host}"), urlsplit(origin)
        default = {"https": 443, "http": 80}[theirs.scheme]
        return ours.hostname is not None and (ours.hostname, ours.port or default) == (theirs.hostname, theirs.port or default)
    except (ValueError, KeyError):
        return False


class BodyLimit:
    """Answers 413 to a body of more bytes than allowed, whether it declares its length or not.

    Args:
        app: The app behind it.
        limit: Largest body in bytes.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._limit:
            await self._drain(receive)
            await self._refuse(scope, receive, send)
            return
        size = 0
        exceeded = started = more = False

        async def counted() -> Message:
            nonlocal size, exceeded, more
            message = await receive()
            if message["type"] == "http.request":
                more = message.get("more_body", False)
                size += len(message.get("body", b""))
                if size > self._limit:
                    exceeded = True
                    raise _TooLargeError
            return message

        async def guarded(message: Message) -> None:
            # An app that caught our exception now answers in its own way: that answer is dropped for ours.
            nonlocal started
            if not exceeded:
                started = True
                await send(message)

        with suppress(_TooLargeError):
            await self._app(scope, counted, guarded)
        if exceeded and not started:
            if more:
                await self._drain(receive)
            await self._refuse(scope, receive, send)

    async def _drain(self, receive: Receive) -> None:
        # Reads on for a while: many clients look for an answer only after they have sent everything.
        left = 4 * self._limit
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                return

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = RequestError(
            413,
            "payload_too_large",
            f"the request body is larger than {self._limit:,} bytes",
            hint="Send fewer texts at a time, or raise VINER_MAX_BODY",
        )
        await error_response(refusal)(scope, receive, send)


class _TooLargeError(Exception):
    """A body went over the limit while the app was reading it."""
