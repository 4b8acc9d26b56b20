"""Documents that a person has annotated in part: ``meta["viner:reviewed"]`` says which part.

Where the key is missing, an annotated document is fully annotated: whatever is no entity is outside of entities. Where it is
there, only its entities and the spans it names have been decided on; of everything else nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from viner.answer_meta import REVIEWED
from viner.document import Document, Span
from viner.errors import InputError


def is_partial(document: Document) -> bool:
    """Whether a document is annotated only in part."""
    return REVIEWED in document.meta


def reviewed_spans(document: Document) -> tuple[Span, ...] | None:
    """The spans of a partially annotated document that a person decided on; None where it is fully annotated.

    Raises:
        InputError: If the key does not hold spans of the text.
    """
    if not is_partial(document):
        return None
    spans = document.meta[REVIEWED]
    if not isinstance(spans, Sequence) or isinstance(spans, str) or not all(fits(span, len(document.text)) for span in spans):
        raise InputError(
            f"it must be a list of spans [start, end] within the text of {len(document.text)} code points",
            where=f"meta.{REVIEWED}" if document.id is None else f"{document.id}: meta.{REVIEWED}",
            hint="Without the key the document counts as fully annotated",
        )
    return tuple((start, end) for start, end in spans)


def refuse_partial(documents: Iterable[Document], use: str, *, where: str | Path | None = None) -> None:
    """Refuses partially annotated documents where only whole ones make sense.

    Args:
        documents: The documents.
        use: What they were meant for, such as "choose the best epoch on".
        where: Their file.

    Raises:
        InputError: If one is annotated in part; it says how many are.
    """
    partial = [document for document in documents if is_partial(document)]
    if partial:
        named = "" if partial[0].id is None else f", such as {partial[0].id}"
        raise InputError(
            f"{len(partial)} document{'s are' if len(partial) > 1 else ' is'} annotated only in part{named}: nothing to {use}",
            where=where,
            hint="What nobody looked at cannot be scored; finish annotating them, or leave them out",
        )


def fits(span: object, length: int) -> bool:
    """Whether a JSON value is a span ``[start, end]`` within a text of so many code points."""
    if not isinstance(span, Sequence) or isinstance(span, str) or len(span) != 2:
        return False
    start, end = span
    return type(start) is int and type(end) is int and 0 <= start < end <= length
