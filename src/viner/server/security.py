"""What other sites may not do: requests that are refused, and headers that tell browsers what to refuse."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viner.languages import LANGUAGES
from viner.server.errors import RequestError, error_response

_GRADIO = "/gradio_api/"
_CLOSED = re.compile(
    r"/gradio_api/+(?:file=[\s/]*[a-z][a-z0-9+.-]+:|file/|proxy=|deep_link|component_server|custom_component|run/|api/)", re.I
)
_PAGE = re.compile(rf"^/(?:{'|'.join(LANGUAGES)})(?:/|$)")
_LONGEST_NAME = 255
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
# What Gradio answers to its page, files of visitors among it, is nothing that a browser should show as a page.
_DATA_POLICY = "default-src 'none'; sandbox"
_API_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_ALWAYS = [
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
_OURS = {b"content-security-policy", b"x-frame-options", *(name for name, _ in _ALWAYS)}


class SecurityHeaders:
    """Adds the security headers to every answer and removes whatever would open it to other origins.

    Args:
        app: The app behind it.
        space: Whether the page may be framed by huggingface.co; otherwise nobody may frame it.
    """

    def __init__(self, app: ASGIApp, *, space: bool) -> None:
        self._app = app
        self._page = self._headers(_PAGE_POLICY, space)
        self._strict = self._headers(_STRICT_POLICY, space)
        self._data = self._headers(_DATA_POLICY, space)
        self._api = [*self._headers(_API_POLICY, space), (b"cache-control", b"no-store")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        api = path.startswith(("/api/", "/annotate/api/"))
        if api:
            fixed = self._api
        elif _GRADIO in path:
            fixed = self._data
        else:
            fixed = self._strict if path.startswith(("/annotate", "/login")) else self._page

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if not _is_ours(name.lower(), api)]
                message = {**message, "headers": kept + fixed}
            await send(message)

        await self._app(scope, receive, secured)

    def _headers(self, policy: str, space: bool) -> list[tuple[bytes, bytes]]:
        ancestors = f"'self' {_SPACE_PARENTS}" if space else "'none'"
        framing = [] if space else [(b"x-frame-options", b"DENY")]
        return [(b"content-security-policy", f"{policy}; frame-ancestors {ancestors}".encode("ascii")), *framing, *_ALWAYS]


def _is_ours(name: bytes, api: bool) -> bool:
    return name in _OURS or name.startswith(b"access-control-") or (api and name == b"cache-control")


class GradioRoutes:
    """Refuses routes of Gradio that the page has no need of.

    Some fetch what any visitor names from elsewhere, so that this server would speak for them, and another site's page would
    come from this one; others keep the state of a session on disk, call components, or pass the queue by. Paths that no file
    can have are refused as well.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http" or not (_CLOSED.search(scope["path"]) or _is_no_file(scope["path"])):
            await self._app(scope, receive, send)
            return
        refusal = RequestError(404, "not_found", "there is nothing at this address", hint="The API is described at /api/docs")
        await error_response(refusal)(scope, receive, send)


def _is_no_file(path: str) -> bool:
    """Whether a part of an address of the page is longer than a file's name may be; Gradio, which looks for the file, fails."""
    longest = max(len(part.encode("utf-8", "surrogatepass")) for part in path.split("/"))
    return longest > _LONGEST_NAME and _PAGE.search(path) is not None


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
