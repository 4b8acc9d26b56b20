"""Annotations that models doubt which did not learn from them: confident learning over words.

After Northcutt, Jiang and Chuang (2021), "Confident Learning: Estimating Uncertainty in Dataset Labels": a class is taken for
the true one where its probability reaches the mean that it has on examples annotated with it, so that classes of which models
are never sure are not held to the same bar as others. Examples are words here, as in Wang and Mueller (2022), "Detecting Label
Errors in Token Classification Data"; people are shown the entities that the words belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viner.corpus import reviewed_spans
from viner.document import Document, Entity, Span
from viner.evaluation.doubts import Doubt, elsewhere, surface_of
from viner.evaluation.errors import Pair, align
from viner.evaluation.excerpts import Excerpts
from viner.evaluation.surfaces import Surfaces
from viner.text import words_touched

NOTHING = ""
"""The class of words that are in no entity."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A document and what a model says about it that did not learn from it.

    Args:
        gold: The document as it is annotated.
        predicted: As the model recognized it, with words.
        probabilities: Of each word, to be in no entity and in one of each label. *Shape:* (words, 1 + labels).
        labels: The labels in the order of the columns.
        learned: Those of them that the model has seen an example of; it cannot judge the others.
    """

    gold: Document
    predicted: Document
    probabilities: NDArray[np.floating]
    labels: tuple[str, ...]
    learned: frozenset[str]


def doubtful(documents: Sequence[Judged]) -> list[Doubt]:
    """The annotations that are probably wrong, or missing, the most doubtful first.

    An annotation is doubted where model and annotation disagree and another class than the annotated one reaches its threshold
    on one of the words that they disagree on. How doubtful it is, is one minus the lowest probability of an annotated class on
    these words.
    """
    words = [_Words(document) for document in documents]
    thresholds = _thresholds(words)
    surfaces = Surfaces()
    found: list[tuple[float, Pair, Excerpts]] = []
    for number, (document, judged) in enumerate(zip(documents, words, strict=True), 1):
        cutter = Excerpts(document.gold, document.predicted, number)
        for pair in align(document.gold.entities or (), document.predicted.entities or ()):
            surfaces.add(pair)
            if pair.kind == "correct" or (pair.gold is not None and pair.gold.label not in document.learned):
                continue
            doubt = judged.doubt(pair, thresholds)
            if doubt is not None:
                found.append((doubt, pair, cutter))
    tables = surfaces.tables({surface_of(pair) for _, pair, _ in found})
    doubts = [
        Doubt(pair, cutter.cut(pair.start, pair.end), doubt, elsewhere(pair, tables[surface_of(pair)]))
        for doubt, pair, cutter in found
    ]
    return sorted(doubts, key=lambda doubt: (-doubt.confidence, doubt.excerpt.number, doubt.pair.start))


class _Words:
    """The words of a document with the classes that they have by annotation and by the model."""

    def __init__(self, document: Judged) -> None:
        spans = document.predicted.words or ()
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]
        self.columns = {name: index for index, name in enumerate((NOTHING, *document.labels))}
        self.probabilities = document.probabilities
        self.given = self._labels(document.gold.entities or ())
        self.answered = self._labels(document.predicted.entities or ())
        self.decided = self._decided(document.gold)

    def doubt(self, pair: Pair, thresholds: dict[str, float]) -> float | None:
        """How doubtful an annotation is, in [0, 1]; None where it is not doubted."""
        differing = [
            word
            for word in self._within((pair.start, pair.end))
            if self.decided[word] and not self.given[word] & self.answered[word]
        ]
        if not any(self._true_class(word, thresholds) not in self.given[word] | {None} for word in differing):
            return None
        return min(1.0, max(0.0, 1 - min(map(self.own, differing))))

    def own(self, word: int) -> float:
        """The probability of the class that a word is annotated with; of several, the highest one."""
        return max(
            (float(self.probabilities[word, self.columns[name]]) for name in self.given[word] if name in self.columns),
            default=0.0,
        )

    def _true_class(self, word: int, thresholds: dict[str, float]) -> str | None:
        """The most probable of the classes that reach their thresholds; None where none does."""
        reached = [
            (probability, name)
            for name, probability in zip(self.columns, self.probabilities[word].tolist(), strict=True)
            if name in thresholds and probability >= thresholds[name]
        ]
        return max(reached)[1] if reached else None

    def _labels(self, entities: Sequence[Entity]) -> list[set[str]]:
        labels: list[set[str]] = [set() for _ in self._starts]
        for entity in entities:
            for word in self._within((entity.start, entity.end)):
                labels[word].add(entity.label)
        return [names or {NOTHING} for names in labels]

    def _decided(self, gold: Document) -> list[bool]:
        """Which words a person has decided on: all, unless the document is annotated in part."""
        reviewed = reviewed_spans(gold)
        if reviewed is None:
            return [True] * len(self._starts)
        spans: list[Span] = [*reviewed, *((entity.start, entity.end) for entity in gold.entities or ())]
        inside = {word for span in spans for word in self._within(span)}
        return [word in inside for word in range(len(self._starts))]

    def _within(self, span: Span) -> range:
        return words_touched(self._starts, self._ends, span)


def _thresholds(documents: Sequence[_Words]) -> dict[str, float]:
    """For each class the mean of its probability on words that are annotated with it and nothing else."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for document in documents:
        for word, names in enumerate(document.given):
            (name, *others) = names
            if others or name not in document.columns or not document.decided[word]:
                continue
            sums[name] = sums.get(name, 0.0) + document.own(word)
            counts[name] = counts.get(name, 0) + 1
    return {name: total / counts[name] for name, total in sums.items()}
