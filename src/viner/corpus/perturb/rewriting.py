"""Another text for a document, with every span where its surface has gone.

A rewriting replaces stretches of the text that lie *between* the borders of words, entities and sentences, never across one. So
where each border has gone is never in doubt, and neither is any surface.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from viner.answer_meta import REVIEWED
from viner.conll_meta import KEY as CONLL
from viner.conll_meta import conll_of
from viner.corpus.reviewed import reviewed_spans
from viner.document import Document, Entity, Span
from viner.text import split_words, words_of

_SENTENCES = "sentences"
_SYLLABLE = re.compile(r"[^\s_]+")
"""What is parted by spaces, or underscores, in a segment."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a text and what takes its place.

    Args:
        start: First code point, of the text as it was.
        end: One past the last one; ``start < end``.
        text: What stands there instead; it may be empty.
    """

    start: int
    end: int
    text: str


class Rewriting:
    """A text with some stretches replaced.

    Args:
        text: The text as it was.
        edits: What is replaced, in order and disjoint.

    Raises:
        ValueError: If the edits overlap, are not in order, are empty or leave the text.
    """

    def __init__(self, text: str, edits: Sequence[Edit]) -> None:
        parts: list[str] = []
        last = 0
        for edit in edits:
            if not last <= edit.start < edit.end <= len(text):
                raise ValueError(f"the edit at [{edit.start}, {edit.end}] is not behind {last} or not within {len(text)}")
            parts += text[last : edit.start], edit.text
            last = edit.end
        self.text = "".join([*parts, text[last:]])
        """The text as it is now."""
        self._edits = edits
        self._starts = [edit.start for edit in edits]
        self._shifts = [0, *accumulate(len(edit.text) - (edit.end - edit.start) for edit in edits)]

    def offset(self, offset: int) -> int:
        """Where an offset of the old text is in the new one.

        Raises:
            ValueError: If it lies inside of what was replaced.
        """
        before = bisect_right(self._starts, offset)
        if before and offset < self._edits[before - 1].end:
            before -= 1
            if self._starts[before] < offset:
                raise ValueError(f"offset {offset} lies inside of an edit")
        return offset + self._shifts[before]

    def document(self, document: Document) -> Document:
        """The document with the new text; its spans follow.

        Of what ``meta["conll"]`` tells of the file, only the sentences still hold.

        Raises:
            ValueError: If one of its borders lies inside of what was replaced.
        """
        return Document(
            self.text,
            id=document.id,
            meta=self._meta(document),
            words=None if document.words is None else [self._span(*word) for word in document.words],
            entities=self._entities(document.entities),
            tags=self._tags(document),
            labels=document.labels,
            relations=document.relations,
            suggestions=self._entities(document.suggestions),
        )

    def _tags(self, document: Document) -> Mapping[str, Sequence[str]] | None:
        """The classes of words; those of the splitter's words only where there are as many of them still."""
        if document.words is None and document.tags is not None:
            return document.tags if len(split_words(self.text)) == len(split_words(document.text)) else None
        return document.tags

    def _span(self, start: int, end: int) -> Span:
        return self.offset(start), self.offset(end)

    def _entities(self, entities: Sequence[Entity] | None) -> list[Entity] | None:
        if entities is None:
            return None
        return [replace(item, start=self.offset(item.start), end=self.offset(item.end)) for item in entities]

    def _meta(self, document: Document) -> Mapping[str, Any]:
        meta = dict(document.meta)
        reviewed = reviewed_spans(document)
        if reviewed is not None:
            meta[REVIEWED] = [list(self._span(*span)) for span in reviewed]
        if conll_of(document) is not None:
            sentences = [list(self._span(*span)) for span in _sentences(document)]
            sentences = [[start, end] for start, end in sentences if start < end]
            meta[CONLL] = {_SENTENCES: sentences} if sentences else {}
        return meta


def rewrite_pieces(document: Document, change: Callable[[str], str]) -> Document:
    """The document with each of its pieces changed.

    Args:
        document: Any document.
        change: Gets a word, or the part of one that lies between two borders, and returns what stands in its place. Where it
            returns nothing, the piece stays, so that no word and no entity vanishes.

    Returns:
        A new document, or the same one where nothing changes.
    """
    text = document.text
    edits = [
        Edit(start, end, new) for start, end in pieces(document) if (new := change(text[start:end])) and new != text[start:end]
    ]
    return Rewriting(text, edits).document(document) if edits else document


def by_syllable(piece: str, change: Callable[[str], str]) -> str:
    """A piece, which holds several syllables where words are segments, with each of them changed; white space stays."""
    return _SYLLABLE.sub(lambda match: change(match[0]), piece)


def pieces(document: Document) -> list[Span]:
    """Stretches of the text between two neighboring borders, in order, without those of white space.

    Borders are those of the words, the document's own or the splitter's, and :func:`fixed_borders`.
    """
    borders = fixed_borders(document)
    borders.update(border for word in words_of(document) for border in word)
    text = document.text
    return [(start, end) for start, end in pairwise(sorted(borders)) if not text[start:end].isspace()]


def fixed_borders(document: Document) -> set[int]:
    """Offsets that a document's annotations name, and the ends of its text: no edit may reach across one."""
    spans: list[Sequence[int]] = [(0, len(document.text)), *_sentences(document), *(reviewed_spans(document) or ())]
    marked = [*(document.entities or ()), *(document.suggestions or ())]
    return {border for span in spans for border in span} | {border for item in marked for border in (item.start, item.end)}


def _sentences(document: Document) -> Sequence[Sequence[int]]:
    sentences: Sequence[Sequence[int]] = (conll_of(document) or {}).get(_SENTENCES, ())
    return sentences
