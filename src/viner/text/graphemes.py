"""Borders of grapheme clusters: what people see as one character is never cut."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from viner.document import Span

# Between two characters of class Other there is always a border, so only what stands around the others is looked at.
# Possessive: linear on any text.
_REGION = regex.compile(r"(?:\p{GCB=Other}?+\P{GCB=Other}++)++\p{GCB=Other}?+")
_CLUSTER = regex.compile(r"\X")
_FLAGS = regex.compile(r"(?:\p{RI}\p{RI}){2,}+")
_SLICE = 256
"""Code points looked at together: regex looks back from every flag to the first one of its row."""


class Graphemes:
    """The grapheme clusters of one text (extended ones, Unicode Annex 29).

    It holds only the offsets inside of clusters, so a text of plain letters costs nothing.

    Args:
        text: The raw text that the offsets belong to.
    """

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._inside: set[int] = set()
        if text.isascii() and "\r\n" not in text:
            return
        for region in _REGION.finditer(text):
            start, end = region.span()
            if end - start > 1:
                for first, last in _clusters(text, start, end):
                    self._inside.update(range(first + 1, last))

    def is_border(self, offset: int) -> bool:
        """Whether a code point offset in [0, len(text)] lies between two clusters or at an end of the text."""
        return 0 <= offset <= self._length and offset not in self._inside


def _clusters(text: str, start: int, end: int) -> Iterator[Span]:
    """The clusters of a stretch that begins at a border, in time linear in its length."""
    size = _SLICE
    while start < end:
        flags = _FLAGS.match(text, start, end)
        if flags is not None:
            last = flags.end() - 2  # this one may have marks
            yield from zip(range(start, last, 2), range(start + 2, last + 2, 2), strict=True)
            start = last
        stop = min(start + size, end)
        spans = [(start + match.start(), start + match.end()) for match in _CLUSTER.finditer(text[start:stop])]
        if stop < end:
            stop, _ = spans.pop()  # the last one may go on behind the slice
        yield from spans
        size = _SLICE if spans else 2 * size
        start = stop
