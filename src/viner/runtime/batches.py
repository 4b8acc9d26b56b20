"""Windows of many documents as batches of about equal length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BUDGET = 512
"""Pieces in a batch, padding included. More does not run faster on a processor: the activations leave its cache."""


def plan_batches(lengths: Sequence[int], budget: int = BUDGET) -> list[list[int]]:
    """Groups sequences into batches.

    Args:
        lengths: Pieces of each sequence, special pieces included.
        budget: Most pieces in a batch, padding included; a sequence that is longer by itself gets its own batch.

    Returns:
        Batches of indices into ``lengths``, longest first, so that no thread ends with the longest one alone.
    """
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batches and (len(batches[-1]) + 1) * longest <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = lengths[index]
    return batches


def pad(sequences: Sequence[NDArray[np.int64]], padding: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Stacks sequences of pieces. *Shape:* ids and mask, both (sequences, longest)."""
    longest = max(len(sequence) for sequence in sequences)
    ids = np.full((len(sequences), longest), padding, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask
