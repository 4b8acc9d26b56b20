"""The REST API under ``/api/v1``: recognize, health, ready, model, metrics."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, NoReturn, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from viner import __version__
from viner.console.recognizer import RecognizerLike
from viner.document import Document, check_text
from viner.errors import InputError
from viner.server.counters import Counters
from viner.server.errors import RequestError
from viner.text import OffsetMap

OffsetUnit = Literal["codepoint", "utf16"]
_T = TypeVar("_T")

_ERROR = {
    "description": "What was wrong, where, and what to do",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "error": {
                        "type": "object",
                        "properties": {
                            "code": {"type": "string"},
                            "message": {"type": "string"},
                            "where": {"type": ["string", "null"]},
                            "hint": {"type": ["string", "null"]},
                        },
                    }
                },
            }
        }
    },
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


def rest_router(recognizer: RecognizerLike, counters: Counters, page_state: Callable[[], str]) -> APIRouter:
    """The routes of the REST API.

    Args:
        recognizer: What answers; called in worker threads, at most as many at once as there are processors.
        counters: Counts documents, and is shown at ``/metrics``.
        page_state: "off", "starting", "ready" or "failed": the state of the console beside the API.
    """
    router = APIRouter(prefix="/api/v1")
    workers = CapacityLimiter(os.cpu_count() or 1)

    async def in_thread(work: Callable[[], _T]) -> _T:
        return await to_thread.run_sync(work, limiter=workers)

    @router.post(
        "/recognize",
        tags=["recognition"],
        summary="Recognize the entities of texts",
        openapi_extra={"requestBody": _TEXTS},
        responses={200: _DOCUMENTS, **dict.fromkeys((400, 403, 413, 415, 422), _ERROR)},
    )
    async def recognize(
        request: Request,
        offsets: str = Query(
            "codepoint",
            description="Unit of all offsets: `codepoint` (Python), or `utf16` for JavaScript and Java",
            json_schema_extra={"enum": ["codepoint", "utf16"]},
        ),
    ) -> Response:
        """Offsets are end-exclusive and count from the first character of the raw text, which is never changed."""
        unit = _read_unit(offsets)
        _check_content_type(request.headers.get("content-type", ""))
        body = await request.body()

        def work() -> bytes:
            documents = list(recognizer.stream(read_texts(body)))
            counters.add_documents(documents)
            return write_documents(documents, unit)

        return Response(await in_thread(work), media_type="application/json")

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
        """`console` is `off`, `starting`, `ready` or `failed`. Recognition works in all four cases."""
        state = page_state()
        done = state in ("ready", "off")
        return Response(
            json.dumps({"ready": done, "model": "ready", "console": state}), 200 if done else 503, media_type="application/json"
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


def read_texts(body: bytes) -> list[str]:
    """The texts of a request body ``{"texts": [...]}``.

    Raises:
        RequestError: If the body is not UTF-8 or not JSON (400), or has another shape (422); ``where`` names the place.
        InputError: If a text is no string or holds a lone surrogate.
    """
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        hint = "Send JSON encoded in UTF-8, no binary files"
        raise RequestError(400, "invalid_json", "the body is not UTF-8", where=f"byte {error.start}", hint=hint) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RequestError(400, "invalid_json", f"the body is not JSON: {error.msg}", where=where, hint=_SHAPE) from None
    except RecursionError:
        raise RequestError(400, "invalid_json", "the body is nested too deeply", hint=_SHAPE) from None
    if not isinstance(data, dict) or not isinstance(data.get("texts"), list):
        raise RequestError(422, "invalid_input", "the body needs a list 'texts'", where="texts", hint=_SHAPE)
    unknown = sorted(set(data) - {"texts"})
    if unknown:
        raise RequestError(422, "invalid_input", f"unknown key {unknown[0]!r}", where="body", hint=_SHAPE)
    return [_read_text(text, index) for index, text in enumerate(data["texts"])]


_SHAPE = 'Send {"texts": ["first text", "second text"]}'


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON value", name, 0)


def _read_text(text: Any, index: int) -> str:
    try:
        return check_text(text)
    except InputError as error:
        raise InputError(error.message, where=f"texts[{index}]", hint=error.hint or _SHAPE) from None


def _read_unit(value: str) -> OffsetUnit:
    if value == "codepoint":
        return "codepoint"
    if value == "utf16":
        return "utf16"
    hint = "Use offsets=codepoint or offsets=utf16"
    raise RequestError(422, "invalid_input", f"unknown unit {value[:40]!r}", where="offsets", hint=hint)


def _check_content_type(value: str) -> None:
    kind = value.split(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestError(
            415,
            "unsupported_media_type",
            f"the content type is {kind[:60] or 'missing'!r}",
            where="Content-Type",
            hint="Send 'Content-Type: application/json'; files are recognized by 'viner predict' or on the page",
        )


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
