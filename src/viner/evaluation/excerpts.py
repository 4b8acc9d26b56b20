"""Stretches of documents around what somebody should look at, small whatever the document, with exact offsets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from viner.corpus.sentences import FileLines
from viner.document import Document, Entity

CONTEXT = 70
"""Code points that an excerpt has at least on either side, where the document has them."""
LONGEST = 600
"""Code points of the longest excerpt."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of a document.

    Args:
        text: The stretch, as it stands in the document.
        start: Its offset in the document, in code points.
        number: Position of the document among those that were looked at, from 1.
        document: Id of the document.
        line: Line of the file on which the excerpt's occasion stands, where the format has lines.
        gold: Annotated entities that touch the stretch, with their offsets in the document.
        predicted: Recognized ones.
        before: Whether the document goes on before it.
        after: Whether the document goes on behind it.
    """

    text: str
    start: int
    number: int
    document: str | None
    line: int | None
    gold: tuple[Entity, ...]
    predicted: tuple[Entity, ...]
    before: bool
    after: bool

    @property
    def name(self) -> str:
        """The document's id, or its number where it has none."""
        return str(self.number) if self.document is None else self.document


class Excerpts:
    """Cuts excerpts out of one document.

    Args:
        gold: The document as it is annotated.
        predicted: The document as it was recognized, with words.
        number: Its position among those that are looked at, from 1.
    """

    def __init__(self, gold: Document, predicted: Document, number: int) -> None:
        self._gold = gold
        self._predicted = predicted
        self._number = number
        self._lines = FileLines(gold)
        words = predicted.words or gold.words or ()
        self._starts = [start for start, _ in words]
        self._ends = [end for _, end in words]

    def cut(self, start: int, end: int, *, predicted: Iterable[Entity] | None = None) -> Excerpt:
        """The excerpt around a span. It begins and ends at borders of words that are not too long, or of the document.

        Args:
            start: First code point that it must hold.
            end: One past the last; the end of a span that is too long is left out.
            predicted: Recognized entities to show in the place of the document's.
        """
        text = self._gold.text
        first = min(self._word_start(max(0, start - CONTEXT)), start)
        first = max(first, start - 2 * CONTEXT)  # a word may be as long as the document
        last = max(self._word_end(min(len(text), end + CONTEXT)), end)
        last = max(min(last, first + LONGEST), start + 1)
        shown = self._predicted.entities if predicted is None else predicted
        return Excerpt(
            text=text[first:last],
            start=first,
            number=self._number,
            document=self._gold.id,
            line=self._lines.at(start),
            gold=_touching(self._gold.entities or (), first, last),
            predicted=_touching(shown or (), first, last),
            before=bool(text[:first].strip()) if first <= CONTEXT else True,
            after=last < len(text) and (len(text) - last > CONTEXT or bool(text[last:].strip())),
        )

    @property
    def name(self) -> str:
        """The document's id, or its number where it has none."""
        return str(self._number) if self._gold.id is None else self._gold.id

    def _word_start(self, offset: int) -> int:
        """Where the word at an offset begins, or the next one if none is there; 0 stays."""
        word = bisect_right(self._ends, offset)
        return self._starts[word] if offset and word < len(self._starts) else offset

    def _word_end(self, offset: int) -> int:
        """Where the word before an offset ends, or the one that it cuts; the end of the text stays."""
        word = bisect_left(self._starts, offset) - 1
        return self._ends[word] if word >= 0 and offset < len(self._gold.text) else offset


def _touching(entities: Iterable[Entity], first: int, last: int) -> tuple[Entity, ...]:
    inside = [entity for entity in entities if entity.start < last and first < entity.end]
    return tuple(sorted(inside, key=lambda entity: (entity.start, -entity.end, entity.label)))


def clipped(entities: Sequence[Entity], excerpt: Excerpt) -> list[tuple[int, int]]:
    """The spans of entities within an excerpt, in offsets of its text; what sticks out is cut off."""
    length = len(excerpt.text)
    return [(max(0, entity.start - excerpt.start), min(length, entity.end - excerpt.start)) for entity in entities]
