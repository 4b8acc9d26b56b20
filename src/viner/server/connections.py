"""Connections of clients that are slow, broken or hostile, and the end of a server that lets the others finish."""

from __future__ import annotations

import asyncio
import logging
import socket
import uuid
from contextlib import suppress
from typing import Any

import uvicorn
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from viner.server.errors import RequestError, error_response
from viner.server.recognition import Recognition

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's line and headers."""
_AROUND_HEADER = 4  # bytes: colon, space and the end of the line
_LOOK_EVERY = 1.0
_SLOWEST = 1024
"""Bytes a second that a client must take of its answer."""


_log = logging.getLogger("viner.server")


class Connection(HttpToolsProtocol):
    """One connection, whose requests have heads of bounded size, and are refused in the form of all errors.

    A refusal comes after the answers to the requests before it, and nothing behind it is read. Who asks for another protocol
    (``Upgrade: h2c``, as Java's client does) is answered in this one, as RFC 9110, section 7.8, has it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head = self._fields = self._unanswered = 0
        self._beyond_head = self._refused = False
        self._repeating = False
        self._owed: RequestError | None = None
        self._head_since: float | None = None
        self._stuck_since = 0.0
        self._stuck_at = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._head_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Reads on."""
        if self._refused:
            return
        if self._head_since is None and (self.cycle is None or self.cycle.response_complete):
            self._head_since = self.loop.time()
        self._beyond_head = False
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except HttpParserError:
            self.send_400_response("")
        # The parser keeps an address or a header until it ends, however long that takes.
        self._head = 0 if self._beyond_head else self._head + len(data)
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(_too_large())

    def _feed(self, data: bytes) -> None:
        """Parses on. Behind a head that asks for another protocol, httptools takes body and all that follows for that.

        Raises:
            HttpParserError: If this is no HTTP request.
        """
        while True:
            try:
                self.parser.feed_data(data)
                return
            except HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            lengths = [(name, value) for name, value in self.headers if name in (b"content-length", b"transfer-encoding")]
            head = b"".join(name + b": " + value + b"\r\n" for name, value in lengths)
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
            self._repeating = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + head + b"\r\n")
            self._repeating = False

    def on_message_begin(self) -> None:
        """A request begins."""
        if not self._repeating:
            self._fields = 0
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        if not self._repeating:
            self._fields += len(url)
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        if not self._repeating:
            self._fields += len(name) + len(value) + _AROUND_HEADER
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if self._repeating:
            return
        self._beyond_head, self._head_since = True, None
        if self._fields > LARGEST_HEAD:  # it came all at once
            self._refuse(_too_large())
        if not self._refused:
            before = self.cycle
            super().on_headers_complete()
            self._unanswered += self.cycle is not before

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._beyond_head = True
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        # What httptools takes for the end of a request that asks for another protocol is that of its head.
        if not self._refused and not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered; the refusal of one behind it may be due."""
        self._unanswered -= 1
        if self._owed is not None and not self._unanswered:
            self._end_with(self._owed)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP request."""
        hint = "The API is described at /api/docs"
        self._refuse(RequestError(400, "invalid_request", "this is no HTTP request", hint=hint))

    def _refuse(self, refusal: RequestError) -> None:
        if self._refused:
            return
        self._refused = True
        being_read = self.cycle
        if being_read is not None and being_read.more_body:  # its body is what is refused
            if self.pipeline and self.pipeline[0][0] is being_read:
                self.pipeline.popleft()
                self._unanswered -= 1
            else:
                being_read.disconnected = True
                being_read.message_event.set()
                if being_read.response_started:
                    self.transport.close()
                    return
                self._unanswered = 0
        if self._unanswered:
            self._owed = refusal
        else:
            self._end_with(refusal)

    def _end_with(self, refusal: RequestError) -> None:
        request_id = uuid.uuid4().hex
        _log.info("request %s refused: %s", request_id, refusal.code)
        answer = error_response(refusal)
        headers = [*answer.raw_headers, (b"x-request-id", request_id.encode("ascii"))]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[answer.status_code] + lines + b"connection: close\r\n\r\n" + bytes(answer.body))
        self.transport.close()

    def look(self, now: float, timeout: float) -> None:
        """Closes the connection if its client has been too slow.

        Args:
            now: Time of the event loop.
            timeout: Seconds that a client has for the head of a request, and for taking something of its answer.
        """
        waiting = self.transport.get_write_buffer_size()
        if not waiting or waiting < self._stuck_at - timeout * _SLOWEST or not self._stuck_at:
            self._stuck_at, self._stuck_since = waiting, now
        elif now - self._stuck_since > timeout:
            self.transport.abort()
            return
        if self._head_since is not None and now - self._head_since > timeout and not self.transport.is_closing():
            hint = "Send the whole request at once"
            self._refuse(RequestError(408, "request_timeout", f"no request came within {timeout:g} seconds", hint=hint))


def _too_large() -> RequestError:
    hint = "Send less in the address and the headers"
    return RequestError(431, "head_too_large", f"the headers are larger than {LARGEST_HEAD:,} bytes", hint=hint)


class Server(uvicorn.Server):
    """Looks after its connections, and stops in two steps: recognition first, which may take a while, then all the rest.

    Args:
        config: How it listens; its protocol must be :class:`Connection`.
        recognition: What is drained first.
    """

    def __init__(self, config: uvicorn.Config, recognition: Recognition) -> None:
        super().__init__(config)
        self._recognition = recognition
        self._timeout = float(recognition.settings.timeout)
        self._grace = float(recognition.settings.grace)

    async def main_loop(self) -> None:
        """Serves until it is told to stop."""
        looking = asyncio.create_task(self._look())
        try:
            await super().main_loop()
        finally:
            looking.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more connections and requests, answers what has been accepted, and ends."""
        for server in self.servers:
            server.close()
        looking = asyncio.create_task(self._look())  # a client that takes nothing of its answer is not waited for
        for connection in list(self.server_state.connections):
            connection.shutdown()  # at once where nothing is being answered, else after the answer
        with suppress(asyncio.CancelledError):
            await self._recognition.drain(self._grace, lambda: self.force_exit)
        await super().shutdown(sockets)
        looking.cancel()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.look(loop.time(), self._timeout)
