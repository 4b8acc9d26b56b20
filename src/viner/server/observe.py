"""Every request gets an id, is counted, logged without any text, and answered even when the app behind it fails."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.routing import compile_path
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
        self._addresses: list[tuple[re.Pattern[str], str]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope["viner.request_id"] = request_id
        began = time.perf_counter()
        status = 0
        self._counters.begin_request()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                others = [item for item in message["headers"] if item[0].lower() != b"x-request-id"]
                message = {**message, "headers": [*others, (b"x-request-id", request_id.encode("ascii"))]}
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
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._counters.add_request(method, route, status, seconds)
            if _log.isEnabledFor(logging.INFO):
                self._log(scope, {"id": request_id, "method": method, "route": route, "status": status}, seconds)

    @staticmethod
    def _log(scope: Scope, fields: dict[str, Any], seconds: float) -> None:
        fields = {"event": "request", **fields, "ms": round(seconds * 1000, 1)}
        if "viner.work" in scope:
            fields["texts"], fields["characters"] = scope["viner.work"]
        if "viner.key" in scope:
            fields["key"] = scope["viner.key"]
        told = "%s %s %d %.0f ms %s"
        values = fields["method"], fields["route"], fields["status"], seconds * 1000, fields["id"]
        _log.info(told, *values, extra={"viner": fields})

    def _route(self, scope: Scope) -> str:
        """The address of a request's route, with names in the place of values, so that there are few of them."""
        if not scope["path"].startswith(("/api/", "/annotate/api/")):
            return "page"
        path = getattr(scope.get("route"), "path", None)
        if isinstance(path, str):
            return path
        # It was refused before anybody looked which one it is.
        if self._addresses is None and isinstance(app := scope.get("app"), FastAPI):
            self._addresses = [(compile_path(path)[0], path) for path in app.openapi()["paths"]]
        return next((path for pattern, path in self._addresses or () if pattern.match(scope["path"])), "page")
