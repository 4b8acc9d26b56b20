"""Cutting long documents into overlapping windows that a model can read.

The answer for a word is taken from the window that sees most text around it, so each window comes with the range of words
whose answers are kept. Those ranges tile the document: merging is concatenation, and nothing is lost or counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """A run of words that one forward pass reads, all indices end-exclusive.

    Args:
        first: First word that the model sees.
        last: One past the last word that it sees.
        keep_first: First word whose answer is kept.
        keep_last: One past the last word whose answer is kept.
    """

    first: int
    last: int
    keep_first: int
    keep_last: int


def plan_windows(offsets: NDArray[np.int32], capacity: int, overlap: int) -> list[Window]:
    """Cuts a document into windows.

    Args:
        offsets: *Shape:* (words + 1,). Index of each word's first piece, then the number of pieces. No word may have more
            than ``capacity`` pieces.
        capacity: Pieces that fit a window, without special pieces; at least 1.
        overlap: Pieces that neighboring windows share at most; less than ``capacity``.

    Returns:
        Windows in order; none for a document without words.

    Raises:
        ValueError: If a word does not fit, or ``overlap`` is not smaller than ``capacity``.
    """
    if not 0 <= overlap < capacity:
        raise ValueError(f"overlap {overlap} must be at least 0 and less than capacity {capacity}")
    words = len(offsets) - 1
    if words == 0:
        return []
    if offsets[-1] <= capacity:
        return [Window(0, words, 0, words)]
    if int(np.max(np.diff(offsets))) > capacity:
        raise ValueError(f"a word has more than {capacity} pieces")
    spans = _spans(offsets, capacity, overlap)
    # Neighbors meet in the middle of what they share: there both see equally far.
    cuts = [0]
    for (_, left_last), (right_first, _) in pairwise(spans):
        middle = (int(offsets[right_first]) + int(offsets[left_last])) / 2
        cuts.append(int(np.argmin(np.abs(offsets[right_first : left_last + 1] - middle))) + right_first)
    cuts.append(words)
    # Where words are long, a window's neighbors can answer all that it sees: it is not needed, and has nothing to teach.
    return [Window(*span, *keep) for span, keep in zip(spans, pairwise(cuts), strict=True) if keep[0] < keep[1]]


def _spans(offsets: NDArray[np.int32], capacity: int, overlap: int) -> list[tuple[int, int]]:
    words = len(offsets) - 1
    spans = []
    first = 0
    while True:
        last = int(np.searchsorted(offsets, offsets[first] + capacity, side="right")) - 1
        if last >= words:
            # The last window reaches back as far as it can: more context costs nothing that padding would not cost.
            first = int(np.searchsorted(offsets, offsets[-1] - capacity, side="left"))
            spans.append((first, words))
            return spans
        spans.append((first, last))
        following = int(np.searchsorted(offsets, offsets[last] - overlap, side="left"))
        first = min(max(following, first + 1), last)
