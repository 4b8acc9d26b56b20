"""Two systems on the same documents: how far they are apart, and whether that may be luck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from viner.document import Document
from viner.metrics import EntityTally, Interval, Scores, bootstrap_difference, randomization_p
from viner.metrics.counts import Counts

Tally = dict[str, tuple[int, int, int]]
"""Support, predicted and correct entities of a document, by label."""


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """What the spread over seeds says about a difference between two recipes.

    Args:
        p_value: How likely such a difference of the mean F1 would be if both recipes were equally good (Welch's t-test over the
            seeds), in (0, 1]; None where seeds change nothing.
        interval: Where the difference of the means would lie for other seeds and other documents; None for one document.
    """

    p_value: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: both fields by name."""
        return {"p_value": self.p_value, "interval": None if self.interval is None else self.interval.to_dict()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two systems do on the same documents.

    Args:
        a: Name of one system.
        b: Name of the other.
        documents: Number of documents.
        overall: Micro scores of both.
        labels: Scores of both for each label that occurs.
        p_value: How likely a difference like this would be by chance alone, in (0, 1]; None without entities, or where nothing
            was tested.
        interval: Where the difference would lie for other documents of the kind; None without entities.
        seeds: How many models of each are counted together; a gold entity counts once for each.
        over_seeds: What their spread says; None with too few of them.
    """

    a: str
    b: str
    documents: int
    overall: tuple[Scores, Scores]
    labels: Mapping[str, tuple[Scores, Scores]] = field(default_factory=dict)
    p_value: float | None = None
    interval: Interval | None = None
    seeds: tuple[int, int] = (1, 1)
    over_seeds: OverSeeds | None = None

    @property
    def delta(self) -> float:
        """F1 of ``b`` minus that of ``a``."""
        return self.overall[1].f1 - self.overall[0].f1

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"a", "b", "documents", "overall", "labels", "delta", "p_value", "interval"}``.

        ``overall`` is ``{"a", "b", "support"}``, and ``labels`` has the like for each label; F1 in [0, 1], null where
        nothing is annotated or predicted. Recipes with enough seeds have "over_seeds", too.
        """
        return {
            "a": self.a,
            "b": self.b,
            "documents": self.documents,
            "overall": self._pair(*self.overall),
            "labels": {label: self._pair(*scores) for label, scores in self.labels.items()},
            "delta": self.delta,
            "p_value": self.p_value,
            "interval": None if self.interval is None else self.interval.to_dict(),
            **({} if self.over_seeds is None else {"over_seeds": self.over_seeds.to_dict()}),
        }

    def _pair(self, a: Scores, b: Scores) -> dict[str, Any]:
        return {
            "a": a.f1 if a.support or a.predicted else None,
            "b": b.f1 if b.support or b.predicted else None,
            "support": max(a.support // self.seeds[0], b.support // self.seeds[1]),
        }


def document_tally(gold: Document, answer: Document) -> Tally:
    """Strict counts of one document by label."""
    tally = EntityTally()
    tally.add(*([entity.labeled_span for entity in document.entities or ()] for document in (gold, answer)))
    return {label: (item.support, item.predicted, item.correct) for label, item in tally.scores().labels.items()}


def compare_tallies(a: str, b: str, first: Sequence[Tally], second: Sequence[Tally]) -> Comparison:
    """The comparison of two systems by their counts on the same documents, in the same order.

    Args:
        a: Name of one system.
        b: Name of the other.
        first: Counts of one, a document each.
        second: Counts of the other.
    """
    ours, theirs = scores_by_label(first), scores_by_label(second)
    none = Scores.micro([])
    labels = {label: (ours.get(label, none), theirs.get(label, none)) for label in sorted(ours.keys() | theirs.keys())}
    overall = (Scores.micro([pair[0] for pair in labels.values()]), Scores.micro([pair[1] for pair in labels.values()]))
    if not overall[0].support:
        return Comparison(a, b, len(first), overall, labels)
    counts = document_counts(first), document_counts(second)
    # To exchange both answers to a single document changes no difference, so that there is nothing to test.
    p_value = randomization_p(*counts) if len(first) > 1 else None
    return Comparison(a, b, len(first), overall, labels, p_value, bootstrap_difference(*counts))


def scores_by_label(tallies: Iterable[Tally]) -> dict[str, Scores]:
    """The scores of each label that occurs, over documents."""
    return {
        label: Scores.from_counts(support=support, predicted=predicted, correct=correct)
        for label, (support, predicted, correct) in added(tallies).items()
    }


def added(tallies: Iterable[Tally]) -> Tally:
    """The counts of several documents, or of several answers to one."""
    total: Tally = {}
    for tally in tallies:
        for label, counts in tally.items():
            before = total.get(label, (0, 0, 0))
            total[label] = before[0] + counts[0], before[1] + counts[1], before[2] + counts[2]
    return total


def document_counts(tallies: Sequence[Tally]) -> Counts:
    """Support, predicted and correct entities of each document. *Shape:* (documents, 3)."""
    return np.array([np.sum(list(tally.values()) or [(0, 0, 0)], axis=0) for tally in tallies], dtype=np.int64)
