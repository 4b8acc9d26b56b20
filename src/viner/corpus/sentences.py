"""Where in a document its sentences are, and where in its file an offset is."""

from __future__ import annotations

from bisect import bisect_right

from viner.conll_meta import conll_of
from viner.document import Document, Span
from viner.text import split_sentences


def sentences_of(document: Document) -> list[Span]:
    """The sentences of a document: those of its file where that knows them, else those of the splitter."""
    conll = conll_of(document)
    if conll is None:
        return split_sentences(document.text)
    given = conll.get("sentences")
    if given is not None:
        return [(start, end) for start, end in given]
    return [(0, len(document.text))] if document.text else []


def line_of(document: Document, offset: int = 0) -> int | None:
    """The line of the document's CoNLL file on which the word at an offset stands; None for other files."""
    conll = conll_of(document)
    if conll is None or not document.words or "line" not in conll:
        return None
    word = max(bisect_right([start for start, _ in document.words], offset) - 1, 0)
    # Comments and blank lines stand between the rows, each with the number of rows before it.
    between: int = sum(0 < position <= word for position, _ in conll.get("lines", ()))
    first: int = conll["line"]
    return first + word + between
