"""One flagged answer as a document: what is kept of it, and what is refused."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

from viner.corpus import FEEDBACK, Flag
from viner.document import Document, Entity, Span, check_text
from viner.errors import InputError
from viner.feedback.errors import UnknownReceiptError
from viner.store import clock

LONGEST_TEXT = 100_000
"""Code points in a text."""
LONGEST_COMMENT = 2_000
"""Code points in a comment."""

_PREFIX = "flagged-"
_RECEIPT = re.compile(r"[0-9a-f]{32}")


def new_receipt() -> str:
    """A random receipt that nobody can guess: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def read_receipt(text: str) -> str:
    """The receipt in what somebody pasted: with spaces around it, in capitals, or as the id of its document.

    Raises:
        UnknownReceiptError: If it can be none.
    """
    receipt = "".join(text.split()).lower().removeprefix(_PREFIX)
    if not _RECEIPT.fullmatch(receipt):
        raise UnknownReceiptError
    return receipt


def document_id(receipt: str) -> str:
    """The id of the document that is kept under a receipt."""
    return _PREFIX + receipt


def receipt_of(entry: Document) -> str:
    """The receipt of a document that :func:`make_entry` made."""
    return (entry.id or "").removeprefix(_PREFIX)


def make_entry(
    answer: Document, *, receipt: str, comment: str = "", wrong: Sequence[Span] = (), model: Mapping[str, str] | None = None
) -> Document:
    """The document that is kept: text and entities of an answer, and what its reader says about it. Nothing else is taken over.

    Args:
        answer: What a recognizer said.
        receipt: See :func:`new_receipt`.
        comment: What is wrong or missing, in words.
        wrong: Spans of entities that are wrong.
        model: What answered.

    Raises:
        InputError: If the text is empty, it or the comment is too long or holds what no store can keep, or no entity has one
            of the spans.
    """
    _check(answer.text, "text", LONGEST_TEXT)
    _check(comment, "comment", LONGEST_COMMENT)
    if not answer.text.strip():
        raise InputError("the text is empty", where="text")
    found = {(entity.start, entity.end) for entity in answer.entities or ()}
    for index, span in enumerate(wrong):
        if tuple(span) not in found:
            raise InputError(
                "no entity of the answer has this span", where=f"wrong[{index}]", hint="Ask for the entities of this text again"
            )
    flag = Flag(receipt, clock.now(), comment.strip(), tuple(sorted(set(wrong))), model or {})
    entities = [
        Entity(entity.start, entity.end, entity.label, score=entity.score, source="model") for entity in answer.entities or ()
    ]
    return Document(answer.text, id=document_id(receipt), meta={FEEDBACK: flag.to_meta()}, suggestions=entities)


def erased_entry(receipt: str) -> Document:
    """What stays of a flagged answer that its sender has erased: that it was there, for copies that were taken before."""
    return Document("", id=document_id(receipt), meta={FEEDBACK: Flag(receipt, clock.now(), erased=True).to_meta()})


def _check(text: str, where: str, most: int) -> None:
    try:
        check_text(text)
    except InputError as error:
        raise InputError(error.message, where=where, hint=error.hint) from None
    if len(text) > most:
        raise InputError(f"is longer than {most:,} characters", where=where, hint="Flag a shorter text, or write less")
    if "\0" in text:
        raise InputError("holds a zero character, which no database keeps", where=where)
