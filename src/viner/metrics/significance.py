"""Whether one system is better than another, or has just been lucky with the documents."""

from __future__ import annotations

import numpy as np

from viner.metrics.counts import Counts, micro_f1

_BLOCK = 4_000_000
"""Exchanges that are in memory at once."""


def randomization_p(a: Counts, b: Counts, *, rounds: int = 2000, seed: int = 0) -> float:
    """Approximate randomization test of a difference in micro F1 (Noreen 1989; Yeh 2000).

    If the two systems were equally good, it would not matter whose answer of a document is counted for whom. So both answers
    of each document are exchanged by chance, again and again; p is the share of rounds whose difference is at least as large as
    the one that was observed, the observation itself counted as one.

    Args:
        a: Counts of one system.
        b: Counts of the other, on the same documents.
        rounds: How often documents are exchanged.
        seed: Of the exchanges.

    Returns:
        p in (0, 1], two-sided.
    """
    first, second = a.sum(axis=0), b.sum(axis=0)
    observed = abs(micro_f1(first) - micro_f1(second))
    draw = np.random.default_rng(seed)
    hits = 1
    size = max(1, _BLOCK // max(len(a), 1))
    for done in range(0, rounds, size):
        exchanged = draw.random((min(size, rounds - done), len(a))) < 0.5
        # What an exchange adds to one system it takes from the other. Sums of whole numbers are exact in float64, as far as
        # 2 to the 53rd, and its products are many times as fast.
        moved = exchanged.astype(np.float64) @ (b - a)
        hits += int(np.sum(np.abs(micro_f1(first + moved) - micro_f1(second - moved)) >= observed - 1e-12))
    return hits / (rounds + 1)
