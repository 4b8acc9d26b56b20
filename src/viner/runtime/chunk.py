"""Documents whose windows are sorted into batches together, and how they become answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from viner.answer_meta import answer_meta
from viner.document import Document, Entity, Span
from viner.encoding import EncodedText, Window, WordSpan


@dataclass(slots=True)
class Chunk:
    """Documents whose windows are sorted into batches together."""

    documents: list[Document] = field(default_factory=list)
    words: list[Sequence[Span]] = field(default_factory=list)
    """Of each document those that it is answered with; what ``encoded`` calls words are those that the model reads: segments,
    for a model of segments."""
    encoded: list[EncodedText] = field(default_factory=list)
    windows: list[tuple[int, Window]] = field(default_factory=list)
    emissions: list[NDArray[np.float32]] = field(default_factory=list)
    """For each document one a word that the model reads, NaN until it is answered."""
    results: list[Future[None]] = field(default_factory=list)
    trouble: Exception | None = None
    """What the item behind these documents met."""

    def give_up(self) -> None:
        """Leaves out the batches that have not begun."""
        for result in self.results:
            result.cancel()

    def gaps(self) -> dict[int, list[Span]]:
        """Spans of the words without an answer, by document."""
        gaps = {}
        for index, (emissions, encoded) in enumerate(zip(self.emissions, self.encoded, strict=True)):
            missing = np.flatnonzero(np.isnan(emissions[:, 0])).tolist()
            if missing:
                gaps[index] = [encoded.words[word] for word in missing]
        return gaps


def refuse(gaps: Mapping[int, Sequence[Span]]) -> None:
    """Refuses words without an answer.

    Args:
        gaps: As :meth:`Chunk.gaps` gives them.

    Raises:
        RuntimeError: If there are any, which is a defect of the windows.
    """
    if gaps:
        raise RuntimeError(f"{sum(map(len, gaps.values()))} words were not answered: this is a defect of viner")


def places(words: Sequence[Span], read: Sequence[Span]) -> NDArray[np.int64]:
    """For each word the index of what the model reads it in: itself, or its segment. *Shape:* (words,)."""
    starts = np.array([start for start, _ in read], dtype=np.int64)
    found: NDArray[np.int64] = np.searchsorted(starts, [start for start, _ in words], side="right") - 1
    return found


def answered(document: Document, words: Sequence[Span], encoded: EncodedText, spans: Sequence[WordSpan]) -> Document:
    """The answer to a document.

    Args:
        document: What was asked.
        words: The words that it is answered with.
        encoded: What the model read: these words, or their segments.
        spans: The entities, as ranges of what the model read.
    """
    read = encoded.words
    entities = [
        Entity(read[span.first][0], read[span.last - 1][1], span.label, score=round(span.score, 4), source="model")
        for span in spans
    ]
    return Document(document.text, id=document.id, meta=answer_meta(document), words=words, entities=entities)
