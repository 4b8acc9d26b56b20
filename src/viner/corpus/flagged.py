"""Answers of a published app that somebody flagged as wrong: ``meta["viner:feedback"]`` says when, why, and of which model.

Such a document holds the model's entities as ``suggestions`` and has no ``entities``, since nobody has annotated it. Once its
sender has erased it, its text is empty and the key says no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from viner.corpus.reviewed import fits
from viner.document import Document, Span, check_text
from viner.errors import InputError

FEEDBACK = "viner:feedback"
"""Key in ``Document.meta``: ``{"receipt", "at", "model", "comment", "wrong"}``, or ``{"receipt", "erased"}``."""

_SURFACE = 60
"""Code points of an entity that a remark quotes."""


@dataclass(frozen=True, slots=True)
class Flag:
    """What came with a flagged answer.

    Args:
        receipt: The random id that its sender has.
        at: When it came, ISO 8601 in UTC; of an erased one, when it was erased.
        comment: What its sender wrote; empty if nothing.
        wrong: Spans of the suggestions that its sender called wrong.
        model: What answered: "name" (where it has one) and "fingerprint".
        erased: Whether its sender has erased it, so that only the receipt is left.
    """

    receipt: str
    at: str
    comment: str = ""
    wrong: tuple[Span, ...] = ()
    model: Mapping[str, str] = field(default_factory=dict)
    erased: bool = False

    def to_meta(self) -> dict[str, Any]:
        """The value of the key, without what is empty."""
        if self.erased:
            return {"receipt": self.receipt, "erased": self.at}
        data: dict[str, Any] = {"receipt": self.receipt, "at": self.at}
        if self.model:
            data["model"] = dict(self.model)
        if self.comment:
            data["comment"] = self.comment
        if self.wrong:
            data["wrong"] = [list(span) for span in self.wrong]
        return data

    def remark(self, document: Document) -> str:
        """The comment, and a line for each entity that was called wrong; empty if there is nothing of either."""
        labels = {(entity.start, entity.end): entity.label for entity in document.suggestions or ()}
        lines = [self.comment] if self.comment else []
        for start, end in self.wrong:
            surface = " ".join(document.text[start:end].split())
            surface = surface if len(surface) <= _SURFACE else f"{surface[:_SURFACE]}…"
            lines.append(f"✗ {surface} ({labels[start, end]})" if (start, end) in labels else f"✗ {surface}")
        return "\n".join(lines)


def flag_of(document: Document) -> Flag | None:
    """What came with a flagged answer that nobody has annotated yet; None for any other document.

    Raises:
        InputError: If the key does not hold what it should.
    """
    if FEEDBACK not in document.meta or document.entities is not None:
        return None
    data = document.meta[FEEDBACK]
    where = f"meta.{FEEDBACK}" if document.id is None else f"{document.id}: meta.{FEEDBACK}"
    if not isinstance(data, Mapping):
        raise InputError("must be a JSON object", where=where)
    erased = "erased" in data
    spans = data.get("wrong", [])
    if not isinstance(spans, Sequence) or isinstance(spans, str) or not all(fits(span, len(document.text)) for span in spans):
        raise InputError("must be a list of spans [start, end] within the text", where=f"{where}.wrong")
    model = data.get("model", {})
    if not isinstance(model, Mapping) or not all(isinstance(value, str) for value in model.values()):
        raise InputError("must be a JSON object of strings", where=f"{where}.model")
    return Flag(
        receipt=_text(data.get("receipt"), f"{where}.receipt"),
        at=_text(data.get("erased" if erased else "at"), f"{where}.{'erased' if erased else 'at'}"),
        comment=_text(data.get("comment", ""), f"{where}.comment"),
        wrong=tuple((start, end) for start, end in spans),
        model=dict(model),
        erased=erased,
    )


def _text(value: object, where: str) -> str:
    try:
        text = check_text(value)
    except InputError as error:
        raise InputError(error.message, where=where, hint=error.hint) from None
    if "\0" in text:
        raise InputError("holds a zero character", where=where)
    return text
