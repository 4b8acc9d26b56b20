"""How large, how slow and how packed a request body may be: pure ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viner.server.bodies import NDJSON, media_type
from viner.server.counters import Counters
from viner.server.errors import RequestError, error_response
from viner.server.settings import Settings

STREAM_PATH = "/api/v1/recognize"
_SLOWEST = 1024
"""Bytes a second that a body must bring; it may fall behind by the time that every request has."""
_BODIES_AT_ONCE = 16
"""All bodies that are being answered may together be so many times as large as one."""


class BodyLimit:
    """Answers 413 to a body of more bytes than allowed, whether it declares its length or not, and 408 to one that crawls.

    Compressed bodies are refused (415): nobody can tell how large they would become. A stream of documents has limits of its
    own, see :class:`viner.server.lines.LinesResponse`.

    Args:
        app: The app behind it.
        settings: Limits.
        counters: Count what is turned away.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings, counters: Counters) -> None:
        self._app = app
        self._limit = settings.max_body
        self._timeout = settings.timeout
        self._counters = counters
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            await self._drain(receive)
            await self._refuse(_packed(encoding), scope, receive, send)
            return
        if is_stream(scope, headers):
            await self._app(scope, receive, send)
            return
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._limit:
            await self._drain(receive)
            await self._refuse(self._too_large(), scope, receive, send)
            return
        await self._limited(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        due = time.monotonic() + self._timeout
        size = 0
        more = True
        refusal: RequestError | None = None
        started = False

        async def counted() -> Message:
            nonlocal due, size, more, refusal
            if not more:  # what comes now is that the client hangs up, which may take any time
                return await receive()
            try:
                async with asyncio.timeout(due - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                refusal = self._too_slow()
                raise _RefusedError from None
            if message["type"] != "http.request":
                more = False
                return message
            more = message.get("more_body", False)
            length = len(message.get("body", b""))
            size += length
            # What came fast gives no leave to wait for longer: who stalls holds what others would need.
            due = min(due + length / _SLOWEST, time.monotonic() + self._timeout)
            self._held += length
            if size > self._limit:
                refusal = self._too_large()
                raise _RefusedError
            if self._held > _BODIES_AT_ONCE * self._limit:
                refusal = self._too_many()
                raise _RefusedError
            return message

        async def guarded(message: Message) -> None:
            # An app that caught our exception now answers in its own way: that answer is dropped for ours.
            nonlocal started
            if refusal is None:
                started = True
                await send(message)

        try:
            with suppress(_RefusedError):
                await self._app(scope, counted, guarded)
        finally:
            self._held -= size
        if refusal is not None and not started:
            if more and refusal.status != 408:
                await self._drain(receive)
            await self._refuse(refusal, scope, receive, send)

    async def _drain(self, receive: Receive) -> None:
        # Reads on for a while: many clients look for an answer only after they have sent everything.
        left = 4 * self._limit
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        return

    async def _refuse(self, refusal: RequestError, scope: Scope, receive: Receive, send: Send) -> None:
        answer = error_response(refusal)
        if refusal.status == 408:
            answer.headers["Connection"] = "close"
        await answer(scope, receive, send)

    def _too_large(self) -> RequestError:
        return RequestError(
            413,
            "payload_too_large",
            f"the request body is larger than {self._limit:,} bytes",
            hint="Send fewer texts at a time, or raise VINER_MAX_BODY",
        )

    def _too_many(self) -> RequestError:
        self._counters.add_rejected("queue_full")
        hint = "Nothing was recognized; send it again in a second"
        return RequestError(429, "queue_full", "too many large requests are being answered", hint=hint, wait=1)

    def _too_slow(self) -> RequestError:
        return RequestError(
            408,
            "request_timeout",
            f"the request body did not come within {self._timeout} seconds, and brought less than {_SLOWEST} bytes a second",
            hint="Send it again, in smaller requests where the line is slow",
        )


def is_stream(scope: Scope, headers: Headers) -> bool:
    """Whether a request is a stream of documents, which is answered while it comes in."""
    path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
    return scope["method"] == "POST" and path == STREAM_PATH and media_type(headers) == NDJSON


def _packed(encoding: str) -> RequestError:
    return RequestError(
        415,
        "unsupported_encoding",
        f"the body is packed ({encoding[:40]!r})",
        where="Content-Encoding",
        hint="Send it as it is, without Content-Encoding",
    )


class _RefusedError(Exception):
    """A body went over a limit while the app was reading it."""
