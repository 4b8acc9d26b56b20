"""Counts of entities by document, what they come to, and how they vary from one sample of documents to the next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""*Shape:* (documents, 3). Support, predicted and correct entities of each document."""
_BLOCK = 2_000_000
"""Draws that are in memory at once."""


def micro_f1(sums: Counts) -> NDArray[np.float64]:
    """Micro F1 of sums of counts, 0 without entities. *Shape:* (sums, 3) → (sums,), or (3,) → ()."""
    support, predicted, correct = sums.T
    f1: NDArray[np.float64] = 2 * correct / np.maximum(support + predicted, 1)
    return f1


def has_f1(sums: Counts) -> NDArray[np.bool_]:
    """Whether there is an entity, annotated or predicted, so that F1 is a number. *Shape:* (sums, 3) → (sums,)."""
    found: NDArray[np.bool_] = sums[..., 0] + sums[..., 1] > 0
    return found


def resampled(rows: Counts, rounds: int, draw: np.random.Generator) -> Iterator[Counts]:
    """Sums over rows that are drawn with replacement, as many as there are, in blocks. *Shape:* (rounds of a block, columns).

    Rows that are equal need not be told apart: how often each *distinct* row is drawn is multinomial, with its frequency as
    probability. There are few of them, however many documents there are.

    Args:
        rows: Counts of each document. *Shape:* (documents, columns).
        rounds: How often is drawn.
        draw: Draws.
    """
    distinct, times = np.unique(rows, axis=0, return_counts=True)
    size = max(1, _BLOCK // len(distinct))
    for done in range(0, rounds, size):
        yield draw.multinomial(len(rows), times / len(rows), min(size, rounds - done)) @ distinct
