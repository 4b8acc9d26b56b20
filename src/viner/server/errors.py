"""Errors as HTTP answers: always ``{"error": {"code", "message", "where", "hint"}}``, never a page and never a traceback."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from viner.errors import InputError, UsageError, VinerError, outline

ERROR_SCHEMA = {
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
"""The shape of every refusal, for the description of the API."""

_log = logging.getLogger("viner.server")


class RequestError(InputError):
    """A request that is refused.

    Args:
        status: HTTP status of the answer.
        code: The stable name for programs.
        message: What was wrong.
        where: The place within the request, such as ``texts[3]``.
        hint: What to do next.
        wait: Seconds after which it makes sense to try again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        wait: int | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.status = status
        self.code = code
        self.wait = wait


_STATUS = {
    "unknown_document": 404,
    "unknown_operation": 404,
    "stale_version": 409,
    "stale_schema": 409,
    "conflict": 409,
    "leased": 409,
    "no_model": 409,
    "training_refused": 409,
    "refused": 422,
    "unknown_receipt": 404,
    "receipt_used": 409,
    "feedback_full": 507,
}
# The data's place is not usable: trying again is safe, since nothing was changed. Seconds after which it makes sense.
_RETRY_AFTER = {
    "store": 10,
    "store_locked": 1,
    "store_full": 15,
    "store_readonly": 30,
    "store_moved": 30,
    "store_damaged": 60,
    "store_newer": 60,
    "store_unreachable": 3,
    "feedback_busy": 3,
}


def status_of(error: VinerError) -> int:
    """The HTTP status that fits an error: its own, 422 for what the client sent, 500 for anything unexpected."""
    if isinstance(error, RequestError):
        return error.status
    if error.code in _RETRY_AFTER:
        return 503
    return _STATUS.get(error.code, 422 if isinstance(error, InputError | UsageError) else 500)


def error_response(error: VinerError, **beside: Any) -> Response:
    """The answer for an error. Escaped to ASCII, since a message may quote text that UTF-8 cannot hold.

    Args:
        error: What was wrong.
        beside: What stands in the answer beside ``error``, such as the current document.
    """
    body = json.dumps({"error": error.to_dict(), **beside}).encode("ascii")
    answer = Response(body, status_of(error), media_type="application/json")
    wait = error.wait if isinstance(error, RequestError) else _RETRY_AFTER.get(error.code)
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    return answer


def internal_error(request_id: str) -> RequestError:
    """What clients are told about a fault of ours: nothing but the id under which the log has it."""
    hint = f"Report it with the request id {request_id}; the log has more"
    return RequestError(500, "internal_error", "the server failed on this request", hint=hint)


def install(app: FastAPI) -> None:
    """Makes an app answer its errors in the form above."""

    @app.exception_handler(VinerError)
    async def known(request: Request, error: VinerError) -> Response:
        answer = error_response(error)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("%s %s: %s", error.code, request.scope["method"], outline(error))
        return answer

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        hint = "The API is described at /api/docs" if error.status_code in (404, 405) else None
        answer = error_response(
            RequestError(error.status_code, phrase.lower().replace(" ", "_"), phrase, where=request.url.path, hint=hint)
        )
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        refusal = RequestError(422, "invalid_input", problem["msg"], where=where, hint="The API is described at /api/docs")
        return error_response(refusal)
