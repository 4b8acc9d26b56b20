"""Whether one recipe is better than another, or has just been lucky with its seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viner.metrics.counts import has_f1, micro_f1, resampled
from viner.metrics.intervals import LEVEL, ROUNDS, Interval, percentiles
from viner.metrics.spread import Spread

LEAST_SEEDS = 3
"""Trainings of each recipe that a test over seeds needs: two say next to nothing of a deviation."""
SeedCounts = NDArray[np.int64]
"""*Shape:* (seeds, documents, 3). Support, predicted and correct entities of each training on each document."""


def welch_p(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Welch's t-test of a difference of means (Welch 1947): deviations may differ, and so may the numbers of values.

    Figures of trainings with different seeds are compared with it, as Reimers and Gurevych (2017, "Reporting Score
    Distributions Makes a Difference") ask for. It knows nothing of the documents, on which all of them were measured.

    Args:
        a: Figures of one recipe, a seed each, at least two.
        b: Figures of the other.

    Returns:
        p in (0, 1], two-sided; None where no figure of either differs from another one, so that there is no deviation.
    """
    first, second = Spread.of(a), Spread.of(b)
    parts = [(spread.deviation or 0.0) ** 2 / spread.count for spread in (first, second)]
    if not sum(parts):
        return None
    t = (second.mean - first.mean) / math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(part**2 / (spread.count - 1) for part, spread in zip(parts, (first, second), strict=True))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def seeds_interval(
    a: SeedCounts, b: SeedCounts, *, rounds: int = ROUNDS, level: float = LEVEL, seed: int = 0
) -> Interval | None:
    """Where the difference in mean micro F1, ``b`` minus ``a``, would lie for other seeds and other documents of the kind.

    The multi-bootstrap (Sellam et al. 2022, "The MultiBERTs: BERT Reproductions for Robustness Analysis") for recipes whose
    seeds have nothing in common: each round draws documents, the same for both, and seeds of each. Of n seeds n - 1 are drawn:
    with so few values, n of them would vary too little by (n - 1) / n (McCarthy and Snowden 1985).

    Args:
        a: Counts of one recipe, at least two seeds.
        b: Counts of the other, on the same documents.
        rounds: How often is drawn.
        level: How much of the differences lies within, in (0, 1).
        seed: Of the draws.

    Returns:
        None where no draw has an F1 of all trainings, for want of entities.
    """
    documents = a.shape[1]
    # A row a document, with the counts of all trainings side by side.
    rows = np.concatenate([a, b]).transpose(1, 0, 2).reshape(documents, -1)
    draw = np.random.default_rng(seed)
    differences = []
    for sums in resampled(rows, rounds, draw):
        sums = sums[has_f1(sums.reshape(len(sums), -1, 3)).all(axis=1)]
        count = len(sums)
        f1 = micro_f1(sums.reshape(-1, 3)).reshape(count, len(a) + len(b))
        means = []
        for figures in (f1[:, : len(a)], f1[:, len(a) :]):
            seeds = figures.shape[1]
            weights = draw.multinomial(seeds - 1, np.full(seeds, 1 / seeds), count)
            means.append((weights * figures).sum(axis=1) / (seeds - 1))
        differences.append(means[1] - means[0])
    return percentiles(np.concatenate(differences), level)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (Press et al. 2007, Numerical Recipes, 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 300):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / (1 + factor * d), 1 + factor / c
            fraction *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return front * fraction / a
