"""The errors of a recognizer: counts and examples, collected document by document."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from viner.document import Document
from viner.evaluation.confidence import ConfidenceTally
from viner.evaluation.doubts import DoubtCollector
from viner.evaluation.errors import KINDS, ErrorKind, Kind, Pair, align, f1, f1_without
from viner.evaluation.excerpts import Excerpt, Excerpts
from viner.evaluation.sampling import Sample
from viner.evaluation.surfaces import Surfaces

EXAMPLES = 60
"""Examples of each kind of error that are kept."""
WORST = 25
"""Documents that are named."""


@dataclass(frozen=True, slots=True)
class Example:
    """An error in context.

    Args:
        pair: What was annotated and what was recognized.
        excerpt: The text around it.
    """

    pair: Pair
    excerpt: Excerpt

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: where it is, and both entities with their offsets in the document."""
        return {"kind": self.pair.kind, "document": self.excerpt.name, "line": self.excerpt.line, **self.pair.to_dict()}


class DocumentErrors(NamedTuple):
    """How many errors a document has; sorts by that.

    Args:
        errors: Errors of all kinds.
        number: Its position, from 1, negative so that of equals the first one counts as more.
        name: Its id, or its position.
        counts: Pairs of each kind.
    """

    errors: int
    number: int
    name: str
    counts: Mapping[Kind, int]


class ErrorAnalysis:
    """Collects the errors of a recognizer. Give :meth:`observe` to :func:`viner.evaluation.evaluate_model`.

    Memory does not grow with documents: examples are samples, and of documents, surfaces and doubts the most telling are kept.

    Args:
        examples: Examples of each kind that are kept; types of entities have equal shares in them.
        seed: Of the samples.
    """

    def __init__(self, *, examples: int = EXAMPLES, seed: int = 0) -> None:
        self.documents = 0
        self.counts: Counter[Kind] = Counter()
        """Pairs of each kind."""
        self.confusion: Counter[tuple[str | None, str | None]] = Counter()
        """Pairs by annotated and recognized label, whatever their borders; None where one of them is missing."""
        self.by_label: Counter[tuple[str, Kind]] = Counter()
        """Pairs by label and kind: the annotated label, or the recognized one of what is spurious."""
        self.spread: Counter[int] = Counter()
        """How many documents have so many errors."""
        self.surfaces = Surfaces()
        self.doubts = DoubtCollector(self.surfaces)
        self.scores = ConfidenceTally()
        """The scores of recognized entities, and which of these are right."""
        self._examples: dict[ErrorKind, Sample[Example]] = {kind: Sample(examples, seed) for kind in KINDS}
        self._worst: list[DocumentErrors] = []

    def observe(self, gold: Document, predicted: Document) -> None:
        """Takes one document.

        Args:
            gold: As it is annotated.
            predicted: As it was recognized: the same text, with words.
        """
        self.documents += 1
        self.scores.add(gold, predicted)
        cutter = Excerpts(gold, predicted, self.documents)
        counts: Counter[Kind] = Counter()
        for pair in align(gold.entities or (), predicted.entities or ()):
            kind = pair.kind
            counts[kind] += 1
            self.confusion[pair.labels] += 1
            self.by_label[pair.labels[0] or pair.labels[1] or "", kind] += 1
            self.surfaces.add(pair)
            if kind != "correct":
                self._examples[kind].offer(pair.labels, lambda pair=pair: _example(pair, cutter))  # type: ignore[misc]
                self.doubts.offer(pair, cutter)
        self.counts.update(counts)
        self._note(DocumentErrors(counts.total() - counts["correct"], -self.documents, cutter.name, counts))

    @property
    def errors(self) -> int:
        """Errors of all kinds."""
        return self.counts.total() - self.counts["correct"]

    @property
    def labels(self) -> list[str]:
        """Labels that are annotated or recognized, the most frequent first."""
        found: Counter[str] = Counter()
        for labels, count in self.confusion.items():
            found.update({label: count for label in labels if label is not None})
        return [label for label, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))]

    def examples(self, kind: ErrorKind) -> list[Example]:
        """Examples of a kind of error in the order of the documents, in equal numbers for each pair of labels if there are."""
        return self._examples[kind].drawn()

    def worst(self) -> list[DocumentErrors]:
        """The documents with the most errors, the worst first."""
        return sorted((item for item in self._worst if item.errors), reverse=True)

    def half(self) -> tuple[int, int]:
        """The smallest number of documents that hold half of the errors, and how many errors these are."""
        documents = errors = 0
        for number in sorted(self.spread, reverse=True):
            if not number or 2 * errors >= self.errors:
                break
            needed = min(self.spread[number], -(-(self.errors - 2 * errors) // (2 * number)))
            documents += needed
            errors += needed * number
        return documents, errors

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without what a person reads in context: counts of kinds with what they cost, confusion, surfaces."""
        best = f1(self.counts)
        return {
            "errors": self.errors,
            "kinds": {
                kind: {"count": self.counts[kind], "f1_gain": round(f1_without(self.counts, kind) - best, 6)} for kind in KINDS
            },
            "confusion": [
                {"gold": gold, "predicted": predicted, "count": count}
                for (gold, predicted), count in sorted(self.confusion.items(), key=lambda item: (-item[1], str(item[0])))
            ],
            "surfaces": [surface.to_dict() for surface in self.surfaces.hardest()],
            "doubts": [doubt.to_dict() for doubt in self.doubts.found()],
        }

    def _note(self, document: DocumentErrors) -> None:
        self.spread[document.errors] += 1
        if len(self._worst) < WORST:
            heapq.heappush(self._worst, document)
        else:
            heapq.heappushpop(self._worst, document)


def _example(pair: Pair, cutter: Excerpts) -> Example:
    return Example(pair, cutter.cut(pair.start, pair.end))
