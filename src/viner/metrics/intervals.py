"""How far a figure would move if the documents had been others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from viner.metrics.counts import Counts, has_f1, micro_f1, resampled

ROUNDS = 1000
LEVEL = 0.95
_LEAST_DOCUMENTS = 2


class Interval(NamedTuple):
    """A confidence interval.

    Args:
        low: Its lower end.
        high: Its upper end.
        level: How much of what was drawn lies within, in (0, 1).
    """

    low: float
    high: float
    level: float = LEVEL

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the three fields by name."""
        return self._asdict()


def bootstrap_interval(counts: Counts, *, rounds: int = ROUNDS, level: float = LEVEL, seed: int = 0) -> Interval | None:
    """Percentile bootstrap interval of micro F1 (Efron 1979; Efron and Tibshirani 1993, chapter 13).

    As many documents as there are, are drawn with replacement, again and again; the interval holds the middle of the F1 scores
    that come of it. Documents are drawn rather than entities, since entities of a document are right or wrong together. It says
    what other documents of the same kind would change, and nothing of another seed of the training. Draws in which nothing is
    annotated and nothing predicted have no F1, and do not count.

    Args:
        counts: *Shape:* (documents, 3). Support, predicted and correct entities of each document, at least one document.
        rounds: How often documents are drawn.
        level: How much of the scores lies within, in (0, 1).
        seed: Of the draws.

    Returns:
        None for a single document, which says nothing of others, and where no draw has an F1.
    """
    if len(counts) < _LEAST_DOCUMENTS:
        return None
    sums = _resampled(counts, rounds, seed)
    return percentiles(micro_f1(sums[has_f1(sums)]), level)


def bootstrap_difference(a: Counts, b: Counts, *, rounds: int = ROUNDS, level: float = LEVEL, seed: int = 0) -> Interval | None:
    """Percentile bootstrap interval of a difference in micro F1, ``b`` minus ``a``: each draw takes the documents of both.

    Args:
        a: Counts of one system.
        b: Counts of the other, on the same documents.
        rounds: How often documents are drawn.
        level: How much of the differences lies within, in (0, 1).
        seed: Of the draws.

    Returns:
        None for a single document, and where no draw has an F1 of both.
    """
    if len(a) < _LEAST_DOCUMENTS:
        return None
    sums = _resampled(np.hstack([a, b]), rounds, seed)
    sums = sums[has_f1(sums[:, :3]) & has_f1(sums[:, 3:])]
    return percentiles(micro_f1(sums[:, 3:]) - micro_f1(sums[:, :3]), level)


def _resampled(rows: Counts, rounds: int, seed: int) -> Counts:
    return np.concatenate(list(resampled(rows, rounds, np.random.default_rng(seed))))


def percentiles(values: NDArray[np.float64], level: float) -> Interval | None:
    """The middle of some values, of which so much lies within; None if there are none."""
    if not len(values):
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return Interval(low, high, level)
