"""Recognition of a stream: documents come in line by line and go out line by line, in order and in constant memory."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from viner.console.recognizer import RecognizerLike
from viner.document import Document
from viner.errors import InputError, VinerError, outline
from viner.server.bodies import NDJSON, read_json
from viner.server.errors import RequestError
from viner.server.recognition import OffsetUnit, Recognition, read_text, write_document
from viner.text import OffsetMap

_SHAPE = 'Each line is a JSON object: {"text": "…"}, with "id", "meta" and "words" if you like'
_KNOWN = {"id", "text", "meta", "words", "entities", "tags", "labels", "relations", "suggestions"}
_PART_TEXTS = 32
_PART_CHARACTERS = 8_000
"""Lines are handed to the batcher in parts of so many lines, or as many as it takes to reach so many code points."""
_PARTS = 4
"""Parts of one stream that are in the batcher at once."""
_AHEAD = 64_000
"""Bytes that are read ahead of the answers, beyond the line that is being read."""
_ROOM_EVERY = 0.05  # seconds between looks whether a full queue has room again
_YIELD_EVERY = 64  # lines, after which other requests get a turn
_LONG = 64_000
"""Bytes of a line that is read beside the event loop: many words take tenths of a second."""
_DEEPEST = 100
_MARK = b"\xef\xbb\xbf"
"""What some programs put before a text in UTF-8."""
_BREAKS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))

_log = logging.getLogger("viner.server")


@dataclass(slots=True)
class _Line:
    """A line that has been read: a document to be recognized, or the answer to one that cannot be.

    Args:
        number: Counted from 1.
        size: Bytes.
        document: The document, if it is one.
        answer: Else what is said about it.
    """

    number: int
    size: int
    document: Document | None = None
    answer: bytes = b""


@dataclass(slots=True)
class _Part:
    lines: list[_Line]
    future: asyncio.Future[list[Any]] | None


class LinesResponse(Response):
    """The answers to a stream of documents, sent while the request is still being read.

    A line that is wrong gets an error in its place; what ends the stream early is an error after the last answer. The work
    stops when the client closes its connection. Lines are read no faster than the client reads the answers.

    Args:
        recognition: What recognizes.
        recognizer: The recognizer of the whole stream.
        unit: What offsets count, also those of words that are given.
        request_id: Names the request where a line meets a fault of ours.
    """

    media_type = NDJSON

    def __init__(self, recognition: Recognition, recognizer: RecognizerLike, unit: OffsetUnit, request_id: str) -> None:
        super().__init__(media_type=NDJSON)
        self._recognition = recognition
        self._recognizer = recognizer
        self._settings = recognition.settings
        self._unit = unit
        self._request_id = request_id
        self._news = asyncio.Event()  # lines were read, a part was answered, or the end is near
        self._room = asyncio.Event()  # lines were answered
        self._lines: deque[_Line] = deque()
        self._parts: deque[_Part] = deque()
        self._ahead = 0
        self._read_all = False
        self._gone = False
        self._ending: RequestError | None = None
        self._texts = self._characters = 0
        self._idle_since = time.monotonic()
        self._patience: asyncio.Timeout | None = None  # with which the client is waited for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        with self._recognition.streaming(self):
            # Only then: a client that asks for "100 Continue" must get that before anything else.
            try:
                first = await self._next(receive)
            except TimeoutError:
                raise self._ending or _nothing_came(self._settings.timeout) from None
            # Without the length that the base class has found, the answer is sent in chunks.
            headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            reading = asyncio.create_task(self._read(first, receive))
            reading.add_done_callback(lambda _: self._news.set())
            try:
                await self._write(send, reading)
            finally:
                reading.cancel()
                for part in self._parts:
                    if part.future is not None:
                        part.future.cancel()
                scope["viner.work"] = self._texts, self._characters
            if not self._gone:
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    def stop(self) -> None:
        """Ends the stream with what has been read, since the server stops."""
        self._leave(_stopping())

    def idle(self) -> float:
        """Seconds for which nothing came that could be recognized, while nothing was left to do."""
        return 0.0 if self._read_all or self._lines or self._parts else time.monotonic() - self._idle_since

    def give_way(self) -> None:
        """Ends the stream, since another one needs its place."""
        self._leave(_gave_way(self.idle()))

    def _leave(self, error: RequestError) -> None:
        self._end(error)
        if self._patience is not None:  # what is being waited for may never come
            self._patience.reschedule(asyncio.get_running_loop().time())

    def _end(self, error: RequestError | None) -> None:
        """Nothing more is read; what was read is still answered, and then the error is told."""
        if not self._read_all:
            self._read_all, self._ending = True, error
        self._news.set()

    async def _read(self, message: Mapping[str, Any], receive: Receive) -> None:
        lines = _LineReader(self._settings.max_line)
        size = 0
        while not self._read_all:
            if message["type"] == "http.disconnect":
                self._gone = True
                break
            body = message.get("body", b"")
            size += len(body)
            if size > self._settings.max_stream:
                what = f"the stream is longer than {self._settings.max_stream:,} bytes"
                self._end(
                    RequestError(413, "payload_too_large", what, hint="Send the rest in another, or raise VINER_MAX_STREAM")
                )
                return
            for line in lines.feed(body):
                await self._add(*line)
            if not message.get("more_body", False):
                for line in lines.finish():
                    await self._add(*line)
                break
            try:
                message = await self._next(receive)
            except TimeoutError:
                self._end(_nothing_came(self._settings.timeout))
                return
        self._end(None)

    async def _next(self, receive: Receive) -> Mapping[str, Any]:
        while True:
            try:
                async with asyncio.timeout(self._settings.timeout) as self._patience:
                    return await receive()
            except TimeoutError:
                # A client may wait for its answers before it goes on.
                if self._read_all or (not self._lines and not self._parts):
                    raise
            finally:
                self._patience = None

    async def _add(self, number: int, raw: bytes | None) -> None:
        while self._ahead > _AHEAD and not self._read_all:
            self._room.clear()
            await self._room.wait()
        if number % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
        long = raw is not None and len(raw) > _LONG
        line = await asyncio.to_thread(self._understood, number, raw) if long else self._understood(number, raw)
        self._ahead += line.size
        self._lines.append(line)
        self._news.set()

    def _understood(self, number: int, raw: bytes | None) -> _Line:
        if raw is None:
            hint = f"Send at most {self._settings.max_line:,} bytes in one line, or raise VINER_MAX_LINE"
            return _Line(
                number, 0, answer=_error(RequestError(413, "line_too_long", "the line is too long", hint=hint), number)
            )
        name = None
        try:
            data = read_json(raw, _SHAPE)
            name = data.get("id") if isinstance(data, dict) else None
            return _Line(number, len(raw), _read_document(data, self._unit, self._settings.max_text))
        except VinerError as error:
            return _Line(number, len(raw), answer=_error(error, number, name if type(name) in (str, int) else None))

    async def _write(self, send: Send, reading: asyncio.Task[None]) -> None:
        while not self._gone:
            self._news.clear()
            if reading.done():
                reading.result()  # raises what it met
            await self._submit()
            if self._parts and (future := self._parts[0].future) is not None and future.cancelled():
                self._give_up()  # the server stops, and waits no longer
            elif self._parts and ((future := self._parts[0].future) is None or future.done()):
                part = self._parts.popleft()
                await send({"type": "http.response.body", "body": self._answers(part), "more_body": True})
                self._ahead -= sum(line.size for line in part.lines)
                self._idle_since = time.monotonic()
                self._room.set()
            elif self._read_all and not self._lines and not self._parts:
                break
            else:
                await self._news.wait()
        if self._ending is not None and not self._gone:
            await send({"type": "http.response.body", "body": _error(self._ending, None) + b"\n", "more_body": True})

    def _give_up(self) -> None:
        """Leaves all lines that have no answer."""
        for part in self._parts:
            if part.future is not None:
                part.future.cancel()
        self._parts.clear()
        self._lines.clear()
        self._read_all, self._ending = True, _stopping()

    async def _submit(self) -> None:
        while self._lines and len(self._parts) < _PARTS:
            lines = self._cut()
            documents = [line.document for line in lines if line.document is not None]
            future: asyncio.Future[list[Any]] | None = None
            while documents and future is None:
                try:
                    future = self._recognition.batcher.submit(
                        self._recognizer, documents, partial(write_document, unit=self._unit), patient=True
                    )
                except RequestError as error:
                    if error.status == 503:
                        self._lines.clear()
                        self._read_all, self._ending = True, _stopping()
                        return
                    if self._parts:  # their answers make room
                        self._lines.extendleft(reversed(lines))
                        return
                    await asyncio.sleep(_ROOM_EVERY)
            if future is not None:
                future.add_done_callback(lambda _: self._news.set())
            self._texts += len(documents)
            self._characters += sum(len(document.text) for document in documents)
            self._parts.append(_Part(lines, future))

    def _cut(self) -> list[_Line]:
        lines: list[_Line] = []
        characters = 0
        while self._lines and len(lines) < _PART_TEXTS and characters < _PART_CHARACTERS:
            line = self._lines.popleft()
            lines.append(line)
            characters += 0 if line.document is None else len(line.document.text)
        return lines

    def _answers(self, part: _Part) -> bytes:
        outcomes = iter(() if part.future is None or part.future.cancelled() else part.future.result())
        answers = []
        for line in part.lines:
            answer = line.answer
            if line.document is not None:
                outcome = next(outcomes, None)
                answer = outcome if isinstance(outcome, bytes) else self._failed(line, outcome)
            answers.append(_unbroken(answer))
        return b"".join(answer + b"\n" for answer in answers)

    def _failed(self, line: _Line, outcome: Any) -> bytes:
        document_id = None if line.document is None else line.document.id
        if isinstance(outcome, VinerError):
            return _error(outcome, line.number, document_id)
        if isinstance(outcome, Exception):
            _log.error("request %s failed at line %d: %s", self._request_id, line.number, outline(outcome))
        hint = f"Report it with the request id {self._request_id}; the log has more"
        fault = RequestError(500, "internal_error", "the server failed on this line", hint=hint)
        return _error(fault, line.number, document_id)


def _stopping() -> RequestError:
    return RequestError(503, "shutting_down", "the server is stopping", hint="Send the lines without an answer again")


def _gave_way(seconds: float) -> RequestError:
    what = f"nothing that could be recognized came for {seconds:.0f} seconds, and another stream needed the place"
    return RequestError(429, "queue_full", what, hint="Send the rest in another stream", wait=5)


def _nothing_came(seconds: float) -> RequestError:
    what = f"nothing came for {seconds:g} seconds"
    return RequestError(408, "request_timeout", what, hint="Send the rest in another stream")


class _LineReader:
    """Cuts chunks of bytes into lines that are not empty.

    Args:
        most: Longest line in bytes; of a longer one, nothing is kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._number = 0
        self._begun = bytearray()
        self._too_long = False

    def feed(self, chunk: bytes) -> list[tuple[int, bytes | None]]:
        """The lines that end in a chunk, each with its number; None for one that is too long."""
        *ended, rest = chunk.split(b"\n")
        lines: list[tuple[int, bytes | None]] = []
        for piece in ended:
            self._keep(piece)
            lines += self._close()
        self._keep(rest)
        return lines

    def finish(self) -> list[tuple[int, bytes | None]]:
        """The last line, if it has no line end."""
        return self._close()

    def _keep(self, piece: bytes) -> None:
        if len(self._begun) + len(piece) > self._most:
            self._too_long = True
        if self._too_long:
            self._begun.clear()
        else:
            self._begun += piece

    def _close(self) -> list[tuple[int, bytes | None]]:
        self._number += 1
        line = None if self._too_long else bytes(self._begun)
        if line is not None and self._number == 1:
            line = line.removeprefix(_MARK)
        self._begun.clear()
        self._too_long = False
        return [] if line is not None and not line.strip() else [(self._number, line)]


def _read_document(data: Any, unit: OffsetUnit, most: int) -> Document:
    """The document of a line, of which text, id, meta and words are used."""
    if not isinstance(data, dict):
        raise InputError("the line is no JSON object", hint=_SHAPE)
    unknown = sorted(set(data) - _KNOWN)
    if unknown:
        raise InputError(f"unknown key {unknown[0][:60]!r}", hint=_SHAPE)
    if "text" not in data:
        raise InputError("the line has no 'text'", where="text", hint=_SHAPE)
    text = read_text(data["text"], "text", most, _SHAPE)
    if _deeper(data.get("meta"), _DEEPEST):
        raise InputError("is nested too deeply", where="meta", hint=f"Send at most {_DEEPEST} levels")
    words = data.get("words")
    if unit == "utf16" and isinstance(words, list):
        offsets = OffsetMap(text)
        words = [_in_code_points(word, offsets, index) for index, word in enumerate(words)]
    return Document.from_dict({"text": text, "id": data.get("id"), "meta": data.get("meta"), "words": words})


def _deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            item
            for inner in level
            if isinstance(inner, dict | list)
            for item in (inner.values() if isinstance(inner, dict) else inner)
        ]
        if not level:
            return False
    return True


def _in_code_points(word: Any, offsets: OffsetMap, index: int) -> Any:
    """A word of which the offsets were UTF-16; what is no word stays as it is."""
    if not isinstance(word, list) or not all(type(offset) is int for offset in word):
        return word
    try:
        return [offsets.from_utf16(offset) for offset in word]
    except InputError as error:
        raise InputError(error.message, where=f"words[{index}]") from None


def _error(error: VinerError, number: int | None, document_id: str | int | None = None) -> bytes:
    told = error.to_dict()
    if number is not None:
        # The body of a line has one line.
        told["where"] = f"line {number}" if error.where is None else f"line {number}, {error.where.removeprefix('line 1, ')}"
    named = {} if document_id is None else {"id": document_id}
    # Escaped to ASCII, since a message may quote text that UTF-8 cannot hold.
    return json.dumps({**named, "error": told}).encode("ascii")


def _unbroken(line: bytes) -> bytes:
    """A line without characters at which some readers of lines break it, too."""
    if line.isascii():
        return line
    for character, escaped in _BREAKS:
        line = line.replace(character, escaped)
    return line


def request_id_of(request: Request) -> str:
    """The id under which the log has a request."""
    return str(request.scope.get("viner.request_id", ""))
