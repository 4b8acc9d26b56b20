"""The REST API under ``/api/v1``: recognize, health, ready, model, metrics."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from viner.console.recognizer import RecognizerLike
from viner.document import Document, check_text
from viner.errors import InputError
from viner.server.bodies import check_json, read_json
from viner.server.counters import Counters
from viner.server.errors import ERROR_SCHEMA, RequestError
from viner.text import OffsetMap
from viner.version import __version__

_CLIENT_GONE = 499  # nobody reads it; what nginx notes in its log, and so do our counters
_LOOK_EVERY = 0.25  # seconds
OffsetUnit = Literal["codepoint", "utf16"]
OFFSETS = Query(
    "codepoint",
    description="Unit of all offsets: `codepoint` (Python), or `utf16` for JavaScript and Java",
    json_schema_extra={"enum": ["codepoint", "utf16"]},
)
"""The parameter of routes that take or give offsets; :func:`read_unit` reads it."""
ERROR_RESPONSE = {
    "description": "What was wrong, where, and what to do",
    "content": {"application/json": {"schema": ERROR_SCHEMA}},
}
_TEXTS = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["texts"],
                "additionalProperties": False,
                "properties": {"texts": {"type": "array", "items": {"type": "string"}, "description": "Raw texts"}},
            },
            "example": {"texts": ["Bệnh nhân 91 là phi công người Anh.", "A nurse in Hanoi tested positive on Monday."]},
        }
    },
}
_DOCUMENTS = {
    "description": "One document for each text, in the same order",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"documents": {"type": "array", "items": {"$ref": "#/components/schemas/Document"}}},
            }
        }
    },
}


def rest_router(
    recognizer: RecognizerLike,
    counters: Counters,
    page_state: Callable[[], str],
    *,
    max_texts: int,
    model_state: Callable[[], str] = lambda: "ready",
) -> APIRouter:
    """The routes of the REST API.

    Args:
        recognizer: What answers; called in worker threads, at most as many at once as there are processors.
        counters: Shown at ``/metrics``.
        page_state: "off", "starting", "ready" or "failed": the state of the console beside the API.
        max_texts: Most texts in one request. How long they may be together is up to the limit of the body.
        model_state: "ready", or "none" as long as a project has no model.
    """
    router = APIRouter(prefix="/api/v1")
    workers = CapacityLimiter(os.cpu_count() or 1)

    @router.post(
        "/recognize",
        tags=["recognition"],
        summary="Recognize the entities of texts",
        openapi_extra={"requestBody": _TEXTS},
        responses={200: _DOCUMENTS, **dict.fromkeys((400, 403, 413, 415, 422), ERROR_RESPONSE)},
    )
    async def recognize(
        request: Request,
        offsets: str = OFFSETS,
    ) -> Response:
        """Offsets are end-exclusive and count from the first character of the raw text, which is never changed."""
        unit = read_unit(offsets)
        check_json(request, _KIND)
        body = await request.body()

        gone = threading.Event()

        def work() -> bytes:
            documents = list(recognizer.stream(_until(gone, read_texts(body, max_texts))))
            return write_documents(documents, unit)

        async with _watching(request, gone):
            try:
                answer = await to_thread.run_sync(work, limiter=workers)
            except _ClientGoneError:
                return Response(status_code=_CLIENT_GONE)
        return Response(answer, media_type="application/json")

    @router.get("/health", tags=["operation"], summary="Whether the server is alive")
    async def health() -> dict[str, str]:
        """Answers as soon as the server listens."""
        return {"status": "ok", "version": __version__}

    @router.get(
        "/ready",
        tags=["operation"],
        summary="Whether everything is there, the page included",
        responses={503: {"description": "Not yet: the page is still starting, or could not be started"}},
    )
    async def ready() -> Response:
        """`console` is `off`, `starting`, `ready` or `failed`; `model` is `ready`, or `none` before the first training."""
        state = page_state()
        done = state in ("ready", "off")
        return Response(
            json.dumps({"ready": done, "model": model_state(), "console": state}),
            200 if done else 503,
            media_type="application/json",
        )

    @router.get("/model", tags=["recognition"], summary="The model behind this server")
    async def model() -> Response:
        """Its layers and types, and what its bundle says about itself."""
        description = {"schema": recognizer.schema.to_dict(), "info": recognizer.info.to_dict()}
        return Response(json.dumps(description, ensure_ascii=False), media_type="application/json")

    @router.get("/metrics", tags=["operation"], summary="Counters in the Prometheus text format")
    async def metrics() -> Response:
        """Requests, seconds, documents, characters, entities. Counts only, no text."""
        return Response(counters.render(), media_type="text/plain; version=0.0.4")

    return router


def read_texts(body: bytes, most: int) -> list[str]:
    """The texts of a request body ``{"texts": [...]}``, at most so many.

    Raises:
        RequestError: If the body is not UTF-8 or not JSON (400), has another shape (422) or too many texts (413); ``where``
            names the place.
        InputError: If a text is no string or holds a lone surrogate.
    """
    data = read_json(body, _SHAPE)
    if not isinstance(data, dict) or not isinstance(data.get("texts"), list):
        raise RequestError(422, "invalid_input", "the body needs a list 'texts'", where="texts", hint=_SHAPE)
    unknown = sorted(set(data) - {"texts"})
    if unknown:
        raise RequestError(422, "invalid_input", f"unknown key {unknown[0]!r}", where="body", hint=_SHAPE)
    if len(data["texts"]) > most:
        hint = f"Send at most {most:,} at a time, or raise VINER_MAX_TEXTS"
        raise RequestError(413, "too_many_texts", f"{len(data['texts']):,} texts in one request", where="texts", hint=hint)
    return [_read_text(text, index) for index, text in enumerate(data["texts"])]


@asynccontextmanager
async def _watching(request: Request, gone: threading.Event) -> AsyncIterator[None]:
    """Sets ``gone`` when the client closes its connection while the block runs."""

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(_LOOK_EVERY)
        gone.set()

    # Not a task group: it would wrap the block's own errors.
    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


def _until(gone: threading.Event, texts: Iterable[str]) -> Iterator[str]:
    """The texts as long as somebody waits for the answer: a recognizer asks for them chunk by chunk."""
    for text in texts:
        if gone.is_set():
            raise _ClientGoneError
        yield text


class _ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


_SHAPE = 'Send {"texts": ["first text", "second text"]}'
_KIND = "Send 'Content-Type: application/json'; files are recognized by 'viner predict' or on the page"


def _read_text(text: Any, index: int) -> str:
    try:
        return check_text(text)
    except InputError as error:
        raise InputError(error.message, where=f"texts[{index}]", hint=error.hint or _SHAPE) from None


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


def write_documents(documents: Sequence[Document], unit: OffsetUnit) -> bytes:
    """The answer ``{"documents": [...]}`` with every entity's surface.

    Args:
        documents: Recognized documents.
        unit: What the offsets of words, entities and suggestions count.
    """
    answer = [document.to_dict(surfaces=True) for document in documents]
    if unit == "utf16":
        for document in answer:
            _count_utf16(document)
    return json.dumps({"documents": answer}, ensure_ascii=False).encode("utf-8")


def _count_utf16(document: dict[str, Any]) -> None:
    convert = OffsetMap(document["text"]).to_utf16
    if "words" in document:
        document["words"] = [[convert(start), convert(end)] for start, end in document["words"]]
    for layer in ("entities", "suggestions"):
        for entity in document.get(layer, ()):
            entity["start"], entity["end"] = convert(entity["start"]), convert(entity["end"])
