"""Collecting answers that visitors flag as wrong: routes under ``/api/v1/feedback``, and what they share with the page.

There are no such routes unless the operator gave a folder. Nothing of a text, a comment or a receipt reaches the log.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from viner.console.recognizer import RecognizerLike
from viner.document import Document, Span
from viner.feedback import (
    LONGEST_COMMENT,
    LONGEST_TEXT,
    FeedbackBox,
    UnknownReceiptError,
    make_entry,
    new_receipt,
    read_receipt,
)
from viner.server.bodies import Fields, check_json, read_json, write_json
from viner.server.errors import RequestError
from viner.server.recognition import read_unit
from viner.server.rest import ERROR_RESPONSE, OFFSETS
from viner.server.throttle import Buckets, Rate, network_of
from viner.text import OffsetMap

_SENDING = Rate(tries=20, seconds=10.0)
"""How often one place may send."""
_GUESSING = Rate(tries=30, seconds=2.0)
"""How often one place may ask for receipts that there are not."""

_SHAPE = 'Send {"text": "…", "comment": "…", "wrong": [[start, end]]}; only the text is needed'
_SPAN = {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2}
_FLAGGED = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["text"],
                "additionalProperties": False,
                "properties": {
                    "text": {"type": "string", "description": "The raw text", "maxLength": LONGEST_TEXT},
                    "comment": {"type": "string", "description": "What is wrong or missing", "maxLength": LONGEST_COMMENT},
                    "wrong": {"type": "array", "items": _SPAN, "description": "Spans of entities that are wrong"},
                    "receipt": {
                        "type": "string",
                        "pattern": "^[0-9a-f]{32}$",
                        "description": "32 random hexadecimal digits of the client's own, so that it can send again what got "
                        "no answer; kept once",
                    },
                },
            },
            "example": {"text": "Bệnh nhân 91 là phi công người Anh.", "comment": "phi công is missing", "wrong": [[10, 12]]},
        }
    },
}


class Collector:
    """Takes flagged answers from the page and from programs, not too many at a time, and erases them again.

    Args:
        box: Where they are kept.
        model: What answers.
        note: What the operator says about them; empty if nothing.
        clock: Seconds from anywhere.
    """

    def __init__(
        self, box: FeedbackBox, model: Mapping[str, str], *, note: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.note = note
        self._box = box
        self._model = model
        self._lock = threading.Lock()
        self._sending = Buckets(_SENDING, clock)
        self._guessing = Buckets(_GUESSING, clock)

    def check(self, address: str) -> None:
        """Looks whether there is a try to send, before anything is done for it.

        Raises:
            RequestError: If there is none for this address now (429).
        """
        with self._lock:
            _check_wait(self._sending.wait(network_of(address)))

    def _admit(self, address: str) -> None:
        """Takes a try to send.

        Raises:
            RequestError: If there is none for this address now (429).
        """
        place = network_of(address)
        with self._lock:
            _check_wait(self._sending.wait(place))
            self._sending.spend(place)

    def send(self, answer: Document, *, receipt: str, comment: str, wrong: Sequence[Span], address: str) -> None:
        """Keeps what somebody says about an answer.

        Args:
            answer: What the model said.
            receipt: Random, see :func:`viner.feedback.new_receipt`. Sent again under it, the same is kept once.
            comment: What is wrong or missing, in words; may be empty.
            wrong: Spans of entities that are wrong.
            address: Where it comes from. It is not kept.

        Raises:
            VinerError: If it was not kept: too much at a time, too long, no room, and so on.
        """
        entry = make_entry(answer, receipt=receipt, comment=comment, wrong=wrong, model=self._model)
        self._admit(address)
        self._box.add(entry)

    def erase(self, receipt: str, *, address: str) -> str:
        """Erases what is kept under a receipt as somebody pasted it, and returns it as it was given out.

        Raises:
            UnknownReceiptError: If nothing is kept under it.
            VinerError: If it could not be erased.
        """
        place = network_of(address)
        with self._lock:
            _check_wait(self._guessing.wait(place))
        try:
            exact = read_receipt(receipt)
            self._box.erase(exact)
        except UnknownReceiptError:
            with self._lock:
                self._guessing.spend(place)
            raise
        return exact


def model_mark(recognizer: RecognizerLike) -> dict[str, str]:
    """What tells a model from others: "fingerprint", a hash of all that its folder says about itself, and its "name" if any."""
    info = recognizer.info.to_dict()
    digest = hashlib.sha256(json.dumps(info, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    name = _named(info) or _named(info.get("data", {}).get("source"))
    return {**({"name": name} if name else {}), "fingerprint": digest[:16]}


def feedback_router(collector: Collector, recognizer: RecognizerLike) -> APIRouter:
    """The routes.

    Args:
        collector: Keeps and erases.
        recognizer: Answers for a text once more, so that what is kept as its answer is its answer.
    """
    router = APIRouter(prefix="/api/v1/feedback", tags=["feedback"])

    @router.get("", summary="What is collected, and what the operator says about it")
    async def terms() -> dict[str, Any]:
        """404 where nothing is collected."""
        return {
            "collecting": True,
            "note": collector.note or None,
            "longest_text": LONGEST_TEXT,
            "longest_comment": LONGEST_COMMENT,
        }

    @router.post(
        "",
        status_code=201,
        summary="Flag the answer for a text as wrong",
        openapi_extra={"requestBody": _FLAGGED},
        responses={
            201: {"description": "It is on the disk; the receipt erases it again"},
            **dict.fromkeys((400, 403, 404, 409, 413, 415, 422, 429, 503, 507), ERROR_RESPONSE),
        },
    )
    async def send(request: Request, offsets: str = OFFSETS) -> Response:
        """The text is recognized again. Kept are text, entities, comment, model and time: no name, no address."""
        unit = read_unit(offsets)
        check_json(request, _SHAPE)
        body = await request.body()

        def work() -> str:
            fields = Fields(data := read_json(body, _SHAPE), "text", "comment", "wrong", "receipt")
            text = fields.text("text", most=LONGEST_TEXT)
            comment = "" if data.get("comment") == "" else fields.optional_text("comment", most=LONGEST_COMMENT) or ""
            given = fields.optional_text("receipt")
            receipt = new_receipt() if given is None else _read_given(given)
            wrong = _read_spans(data.get("wrong"), text if unit == "utf16" else None)
            collector.check(address_of(request))
            collector.send(recognizer(text), receipt=receipt, comment=comment, wrong=wrong, address=address_of(request))
            return receipt

        return write_json({"receipt": await to_thread.run_sync(work)}, 201)

    @router.delete(
        "/{receipt}",
        summary="Erase what was sent",
        responses={
            200: {"description": "It is gone from the disk"},
            **dict.fromkeys((403, 404, 429, 503), ERROR_RESPONSE),
        },
    )
    async def erase(request: Request, receipt: str) -> Response:
        """Erased already, it stays so. Copies that the operator took before are theirs to erase; the receipt names them."""
        exact = await to_thread.run_sync(lambda: collector.erase(receipt, address=address_of(request)))
        return write_json({"receipt": exact, "erased": True})

    return router


def address_of(request: Any) -> str:
    """Where a request comes from; empty where the server does not say."""
    return request.client.host if request.client else ""


def _check_wait(seconds: float) -> None:
    if seconds > 0:
        wait = math.ceil(seconds)
        hint = f"Nothing was changed; try again in {wait} seconds"
        raise RequestError(429, "too_many_requests", "too many requests from one place", hint=hint, wait=wait)


def _read_given(receipt: str) -> str:
    try:
        return read_receipt(receipt)
    except UnknownReceiptError:
        raise RequestError(
            422, "invalid_input", "must be 32 hexadecimal digits", where="receipt", hint="Leave it away, and get one"
        ) from None


def _read_spans(data: Any, utf16: str | None) -> list[Span]:
    """The spans of a request in code points; they count UTF-16 units where its text is given."""
    if data is None:
        return []
    if not isinstance(data, list) or len(data) > LONGEST_TEXT:
        raise RequestError(422, "invalid_input", "must be a list of spans", where="wrong", hint=_SHAPE)
    convert = (lambda offset: offset) if utf16 is None else OffsetMap(utf16).from_utf16
    spans = []
    for index, span in enumerate(data):
        if not isinstance(span, list) or len(span) != 2 or not all(type(offset) is int for offset in span):
            raise RequestError(422, "invalid_input", "a span is [start, end]", where=f"wrong[{index}]", hint=_SHAPE)
        spans.append((convert(span[0]), convert(span[1])))
    return spans


def _named(data: Any) -> str | None:
    name = data.get("name") if isinstance(data, Mapping) else None
    return name if isinstance(name, str) and name else None
