"""Every request gets an id, is counted, logged without any text, and answered even when the app behind it fails."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viner.errors import outline
from viner.server.counters import Counters
from viner.server.errors import error_response, internal_error

_log = logging.getLogger("viner.server")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Observer:
    """The outermost layer of the app.

    A request id that the client sends in ``X-Request-Id`` is kept when it is harmless, otherwise one is made up; the answer
    carries it. An unexpected exception is logged by type and place only, since its message could quote a document.
    """

    def __init__(self, app: ASGIApp, *, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        began = time.perf_counter()
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception as error:
            _log.error("request %s failed: %s", request_id, outline(error))
            if not status:
                await error_response(internal_error(request_id))(scope, receive, observed)
        finally:
            seconds = time.perf_counter() - began
            route = self._route(scope)
            self._counters.add_request(scope["method"] if scope["method"] in _METHODS else "other", route, status, seconds)
            _log.info("%s %s %d %.0f ms %s", scope["method"], route, status, seconds * 1000, request_id)

    @staticmethod
    def _route(scope: Scope) -> str:
        path = getattr(scope.get("route"), "path", None)
        return path if isinstance(path, str) and scope["path"].startswith(("/api/", "/annotate/api/")) else "page"
