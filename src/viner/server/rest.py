"""The REST API under ``/api/v1``: recognize, health, ready, model, metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import PlainTextResponse, Response

from viner.server.bodies import NDJSON, check_json, media_type, write_json
from viner.server.counters import Counters
from viner.server.errors import ERROR_SCHEMA
from viner.server.lines import LinesResponse, request_id_of
from viner.server.recognition import ClientGoneError, Recognition, read_texts, read_unit
from viner.version import __version__

_CLIENT_GONE = 499  # nobody reads it; what nginx notes in its log, and so do our counters
_LARGE = 200_000  # bytes of a body that is read in a thread, so that other requests need not wait
_KIND = (
    "Send 'Content-Type: application/json', or application/x-ndjson for a stream; files are for 'viner predict' and the page"
)
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
        },
        NDJSON: {
            "schema": {"type": "string", "description": "One object a line: `text`, and `id`, `meta`, `words` if you like"},
            "example": '{"id": "a", "text": "Bệnh nhân 91 là phi công người Anh."}\n{"id": "b", "text": "A nurse in Hanoi."}\n',
        },
    },
}


def _object(description: str, **properties: str) -> dict[str, Any]:
    """The description of an answer that is a JSON object, with the types of its fields."""
    fields = {name: {"type": kind} for name, kind in properties.items()}
    schema = {"type": "object", "required": list(properties), "properties": fields}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_DOCUMENTS = {
    "description": "One document for each text, in the same order",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["documents"],
                "properties": {"documents": {"type": "array", "items": {"$ref": "#/components/schemas/Document"}}},
            }
        },
        NDJSON: {
            "schema": {
                "type": "string",
                "description": "One document a line, or an object with `error` in the place of one that is wrong",
            }
        },
    },
}


def rest_router(
    recognition: Recognition,
    counters: Counters,
    page_state: Callable[[], str],
    *,
    model_state: Callable[[], str] = lambda: "ready",
) -> APIRouter:
    """The routes of the REST API.

    Args:
        recognition: What recognizes.
        counters: Shown at ``/metrics``.
        page_state: "off", "starting", "ready" or "failed": the state of the console beside the API.
        model_state: "ready", or "none" as long as a project has no model.
    """
    router = APIRouter(prefix="/api/v1")

    @router.post(
        "/recognize",
        tags=["recognition"],
        summary="Recognize the entities of texts",
        openapi_extra={"requestBody": _TEXTS},
        responses={200: _DOCUMENTS, **dict.fromkeys((400, 401, 403, 408, 409, 413, 415, 422, 429, 503), ERROR_RESPONSE)},
    )
    async def recognize(
        request: Request,
        offsets: str = OFFSETS,
    ) -> Response:
        """Offsets are end-exclusive and count from the first character of the raw text, which is never changed.

        A stream of documents, one a line (`application/x-ndjson`), is answered line by line while it is sent.
        """
        unit = read_unit(offsets)
        if media_type(request.headers) == NDJSON:
            return LinesResponse(recognition, recognition.pick(), unit, request_id_of(request))
        check_json(request, _KIND)
        body = await request.body()
        if len(body) < _LARGE:
            texts = read_texts(body, recognition.settings)
        else:
            texts = await to_thread.run_sync(read_texts, body, recognition.settings)
        try:
            answer = await recognition.documents(request, texts, unit)
        except ClientGoneError:
            return Response(status_code=_CLIENT_GONE)
        return Response(answer, media_type="application/json")

    @router.head("/health", include_in_schema=False)
    @router.get(
        "/health",
        tags=["operation"],
        summary="Whether the server is alive",
        responses={200: _object("Alive", status="string", version="string"), 403: ERROR_RESPONSE},
    )
    async def health() -> Response:
        """Answers as soon as the server listens."""
        return write_json({"status": "ok", "version": __version__})

    @router.head("/ready", include_in_schema=False)
    @router.get(
        "/ready",
        tags=["operation"],
        summary="Whether everything is there, the page included",
        responses={
            200: _object("All is there", ready="boolean", model="string", console="string"),
            403: ERROR_RESPONSE,
            503: _object("Not yet: the page is still starting, or could not be started", ready="boolean", console="string"),
        },
    )
    async def ready() -> Response:
        """`console` is `off`, `starting`, `ready` or `failed`; `model` is `ready`, or `none` before the first training."""
        state = page_state()
        done = state in ("ready", "off")
        return write_json({"ready": done, "model": model_state(), "console": state}, 200 if done else 503)

    @router.get(
        "/model",
        tags=["recognition"],
        summary="The model behind this server",
        responses={
            200: _object("The model", schema="object", info="object"),
            **dict.fromkeys((401, 403, 409), ERROR_RESPONSE),
        },
    )
    async def model() -> Response:
        """Its layers and types, and what its bundle says about itself."""
        recognizer = recognition.pick()
        description = {"schema": recognizer.schema.to_dict(), "info": recognizer.info.to_dict()}
        return write_json(description)

    @router.get(
        "/metrics",
        tags=["operation"],
        summary="Counters in the Prometheus text format",
        response_class=PlainTextResponse,
        responses={
            200: {"description": "Counters", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **dict.fromkeys((401, 403), ERROR_RESPONSE),
        },
    )
    async def metrics() -> Response:
        """Requests, seconds, queue, batches, documents, characters, entities. Counts only, no text."""
        return Response(counters.render(), media_type="text/plain; version=0.0.4")

    return router
