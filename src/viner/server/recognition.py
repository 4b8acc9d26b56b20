"""Recognition for requests: their texts go through the batcher, and come back as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, Protocol

from starlette.requests import Request

from viner.console.recognizer import RecognizerLike
from viner.document import Document, check_text
from viner.errors import InputError
from viner.server.batcher import Batcher
from viner.server.bodies import dump_json, read_json
from viner.server.errors import RequestError
from viner.server.settings import Settings
from viner.text import OffsetMap

OffsetUnit = Literal["codepoint", "utf16"]
SHAPE = 'Send {"texts": ["first text", "second text"]}'
_LOOK_AFTER = 0.25
"""Seconds after which somebody looks whether the client is still there: most answers are given by then."""
_MOST_STREAMS = 64
_IDLE = 5.0
"""Seconds after which a stream whose client sends nothing that could be recognized gives its place to one that needs it."""


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


class Stream(Protocol):
    """What :meth:`Recognition.streaming` asks of a stream."""

    def stop(self) -> None:
        """The server stops: the stream should end with what has been read."""

    def idle(self) -> float:
        """Seconds for which the stream has been waiting for its client, without anything to recognize or to answer."""

    def give_way(self) -> None:
        """Ends the stream, since another one needs its place."""


class Recognition:
    """What the routes that recognize share.

    Args:
        pick: The recognizer in service; a request keeps the one that it began with.
        batcher: Recognizes for several requests together.
        settings: Limits.
    """

    def __init__(self, pick: Callable[[], RecognizerLike], batcher: Batcher, settings: Settings) -> None:
        self.pick = pick
        self.batcher = batcher
        self.settings = settings
        self._streams: set[Stream] = set()

    async def documents(self, request: Request, texts: Sequence[str], unit: OffsetUnit) -> bytes:
        """The answer ``{"documents": [...]}`` to a request whose body has been read.

        Args:
            request: The request; the work stops when its client hangs up.
            texts: The texts.
            unit: What offsets count.

        Raises:
            RequestError: If the queue is full or the server is stopping.
            ClientGoneError: If nobody waits for the answer any more.
            Exception: What the first text that could not be recognized met.
        """
        note_work(request, texts)
        if not texts:
            return b'{"documents":[]}'
        future = self.batcher.submit(self.pick(), texts, partial(write_document, unit=unit))
        with _watching(request, future) as gone:
            try:
                outcomes = await future
            except asyncio.CancelledError:
                if future.cancelled() and not _is_cancelled():
                    if not gone.is_set():
                        self.batcher.check_running()  # it was the end of the server's patience
                    raise ClientGoneError from None
                raise
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return b'{"documents":[' + b",".join(outcomes) + b"]}"

    @contextmanager
    def streaming(self, stream: Stream) -> Iterator[None]:
        """Keeps account of a stream while it runs.

        Where there are as many as may be, the one that has waited longest for its client gives way, if that is long.

        Raises:
            RequestError: If there are too many (429), or the server is stopping (503).
        """
        self.batcher.check_room()
        if len(self._streams) >= _MOST_STREAMS:
            idlest = max(self._streams, key=lambda other: other.idle())
            if idlest.idle() < _IDLE:
                hint = "Nothing was recognized; send it again in a few seconds"
                raise RequestError(429, "queue_full", f"{_MOST_STREAMS} streams are open", hint=hint, wait=5)
            self._streams.discard(idlest)
            idlest.give_way()
        self._streams.add(stream)
        try:
            yield
        finally:
            self._streams.discard(stream)

    async def drain(self, seconds: float, hurry: Callable[[], bool] = lambda: False) -> bool:
        """Stops taking requests, lets streams end, and waits until what was taken is answered; see :meth:`Batcher.drain`."""
        waiting = asyncio.create_task(self.batcher.drain(seconds, hurry))
        await asyncio.sleep(0)
        for stream in list(self._streams):
            stream.stop()
        return await waiting


def note_work(request: Request, texts: Sequence[str]) -> None:
    """Leaves the number of texts and of their characters with the request, for the log."""
    request.scope["viner.work"] = len(texts), sum(map(len, texts))


@contextmanager
def _watching(request: Request, future: asyncio.Future[Any]) -> Iterator[asyncio.Event]:
    """Cancels the future when the client closes its connection, and says so.

    Nobody looks before a while: a look costs a task.
    """
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    watching: asyncio.Task[None] | None = None

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()
        future.cancel()

    def begin() -> None:
        nonlocal watching
        watching = loop.create_task(watch())

    timer = loop.call_later(_LOOK_AFTER, begin)
    try:
        yield gone
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def read_texts(body: bytes, settings: Settings) -> list[str]:
    """The texts of a request body ``{"texts": [...]}``.

    Raises:
        RequestError: If the body is not UTF-8 or not JSON (400), has another shape (422), too many texts or one that is too
            long (413); ``where`` names the place.
        InputError: If a text is no string or holds a lone surrogate.
    """
    data = read_json(body, SHAPE)
    if not isinstance(data, dict) or not isinstance(data.get("texts"), list):
        raise RequestError(422, "invalid_input", "the body needs a list 'texts'", where="texts", hint=SHAPE)
    unknown = sorted(set(data) - {"texts"})
    if unknown:
        raise RequestError(422, "invalid_input", f"unknown key {unknown[0][:60]!r}", where="body", hint=SHAPE)
    if len(data["texts"]) > settings.max_texts:
        hint = f"Send at most {settings.max_texts:,} at a time, or raise VINER_MAX_TEXTS"
        raise RequestError(413, "too_many_texts", f"{len(data['texts']):,} texts in one request", where="texts", hint=hint)
    return [read_text(text, f"texts[{index}]", settings.max_text) for index, text in enumerate(data["texts"])]


def read_text(text: Any, where: str, most: int, shape: str = SHAPE) -> str:
    """A text, if it is one and not too long.

    Args:
        text: What came over the wire.
        where: Its place, for errors.
        most: Code points that it may have.
        shape: What to send instead of what is no text.

    Raises:
        RequestError: If it has more than ``most`` code points (413).
        InputError: If it is no string or holds a lone surrogate.
    """
    if isinstance(text, str) and len(text) > most:
        hint = f"Send at most {most:,} characters in one text, or raise VINER_MAX_TEXT"
        raise RequestError(413, "text_too_long", f"the text has {len(text):,} characters", where=where, hint=hint)
    try:
        return check_text(text)
    except InputError as error:
        raise InputError(error.message, where=where, hint=error.hint or shape) from None


def read_unit(value: str) -> OffsetUnit:
    """The unit that a request names.

    Raises:
        RequestError: If there is no such unit (422).
    """
    if value == "codepoint":
        return "codepoint"
    if value == "utf16":
        return "utf16"
    hint = "Use offsets=codepoint or offsets=utf16"
    raise RequestError(422, "invalid_input", f"unknown unit {value[:40]!r}", where="offsets", hint=hint)


def write_document(document: Document, unit: OffsetUnit) -> bytes:
    """A recognized document as JSON, with every entity's surface.

    Args:
        document: The document.
        unit: What the offsets of words, entities and suggestions count.
    """
    data = document.to_dict(surfaces=True)
    if unit == "utf16":
        _count_utf16(data)
    return dump_json(data)


def _count_utf16(document: dict[str, Any]) -> None:
    convert = OffsetMap(document["text"]).to_utf16
    if "words" in document:
        document["words"] = [[convert(start), convert(end)] for start, end in document["words"]]
    for layer in ("entities", "suggestions"):
        for entity in document.get(layer, ()):
            entity["start"], entity["end"] = convert(entity["start"]), convert(entity["end"])
