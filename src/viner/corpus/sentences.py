"""Where in a document its sentences are, and where in its file an offset is."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

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


class FileLines:
    """Where in its CoNLL file the words of a document stand, found out once, when it is first asked for.

    Args:
        document: A document of any file.
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    def at(self, offset: int = 0) -> int | None:
        """Number of the line on which the word at an offset stands; None in other files."""
        if self._rows is None:
            return None
        first, starts, between = self._rows
        word = max(bisect_right(starts, offset) - 1, 0)
        return first + word + bisect_right(between, word)

    @cached_property
    def _rows(self) -> tuple[int, list[int], list[int]] | None:
        """Line of the first row, start of each word, and of each line among the rows how many rows stand before it."""
        conll, words = conll_of(self._document), self._document.words
        if conll is None or not words or "line" not in conll:
            return None
        between = sorted(position for position, _ in conll.get("lines", ()) if position > 0)
        return conll["line"], [start for start, _ in words], between
