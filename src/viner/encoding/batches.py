"""Sequences of pieces as batches: which ones go together, and how they stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from viner.encoding.tokenizer import PieceEncoder

FIRST_PIECES = "first_pieces"
"""Name of the input that says which pieces a graph is to answer: *Shape:* (words,), int64. Indices into the flattened batch."""

PACKED = "viner.packed"
"""Key in the metadata of a graph that computes padding in attention only."""
PACKED_ROWS, PACKED_PLACES = "packing/rows", "packing/places"
"""In such a graph, what takes the rows of pieces out of a batch, and what puts them into their places."""

BATCH_SCORES = 2_000
"""Attention scores of a head that take about as long to compute as another batch takes by itself.

Forty times six sentences of any lengths, as a server meets them, took 2.72 s in one batch each, and 2.47, 2.37 and 2.33 s cut
for 4,000, 2,000 and 1,000 scores (an int8 graph of 12 layers and 384 dimensions, one core of an Intel Xeon); sorted texts in
bulk take as long as before.
"""


def cut_by_budget(order: NDArray[np.int64], lengths: NDArray[np.int64], budget: int) -> Iterator[NDArray[np.int64]]:
    """Cuts an order into batches whose padded size stays within a budget; a longer sequence is a batch by itself.

    Args:
        order: *Shape:* (sequences,). Indices, roughly sorted by length, so that little of a batch is padding.
        lengths: *Shape:* (sequences,). Pieces of each sequence, special pieces included.
        budget: Pieces of a batch, padding included.
    """
    begin, widest = 0, 0
    for position, index in enumerate(order):
        widest = max(widest, int(lengths[index]))
        if position > begin and widest * (position - begin + 1) > budget:
            yield order[begin:position]
            begin, widest = position, int(lengths[index])
    if begin < len(order):
        yield order[begin:]


def cut_by_length(lengths: NDArray[np.int64], budget: int) -> Iterator[NDArray[np.int64]]:
    """Cuts sequences into batches of one length each, the longest first.

    Args:
        lengths: *Shape:* (sequences,). Pieces of each sequence, special pieces included.
        budget: Pieces of a batch; a longer sequence is a batch by itself.
    """
    order = np.argsort(-lengths, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        if len(group):
            most = max(1, budget // int(lengths[group[0]]))
            yield from (group[begin : begin + most] for begin in range(0, len(group), most))


def cut_by_pieces(
    order: NDArray[np.int64], lengths: NDArray[np.int64], budget: int, scores: int = BATCH_SCORES
) -> Iterator[NDArray[np.int64]]:
    """Cuts an order into batches of about as many pieces each, for graphs that compute nothing for the padding.

    Attention still does: as many scores for each sequence as for the longest beside it. Where that would take longer than
    another batch does, a batch is cut once more.

    Args:
        order: *Shape:* (sequences,). Indices, the longest first.
        lengths: *Shape:* (sequences,). Pieces of each sequence, special pieces included.
        budget: Pieces of a batch, without padding, about; at most half of them more, or one sequence.
        scores: What a batch takes by itself, in attention scores of a head.
    """
    for group in _even_groups(order, lengths, budget):
        yield from _by_width(group, lengths[group], scores)


def _even_groups(order: NDArray[np.int64], lengths: NDArray[np.int64], budget: int) -> Iterator[NDArray[np.int64]]:
    """Groups of about as many pieces each."""

    def share_of(rest: int) -> float:
        """What each group has of the pieces that are left."""
        return rest / max(1, round(rest / budget))

    rest = int(lengths[order].sum())
    begin, pieces, share = 0, 0, share_of(rest)
    for position, index in enumerate(order):
        length = int(lengths[index])
        if position > begin and pieces + length / 2 > share:
            yield order[begin:position]
            rest -= pieces
            begin, pieces, share = position, 0, share_of(rest)
        pieces += length
    if begin < len(order):
        yield order[begin:]


def _by_width(group: NDArray[np.int64], lengths: NDArray[np.int64], scores: int) -> Iterator[NDArray[np.int64]]:
    """A group in the parts that take the least time, each with a cost of its own and that of its padding's scores.

    Args:
        group: Indices.
        lengths: Of its sequences, the longest first. *Shape:* (sequences,).
        scores: What a part costs by itself.
    """
    count = len(group)
    squares = lengths.astype(np.int64) ** 2
    before = np.concatenate([[0], np.cumsum(squares)])
    if count * squares[0] - before[-1] <= scores:
        yield group  # parting could spare less than it costs
        return
    # The least cost of what begins at each place, and where its first part ends.
    least, ends = np.zeros(count + 1, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for begin in range(count - 1, -1, -1):
        sizes = np.arange(1, count - begin + 1)
        costs = sizes * squares[begin] - before[begin + 1 :] + least[begin + 1 :]
        best = int(costs.argmin())
        least[begin], ends[begin] = scores + before[begin] + costs[best], begin + 1 + best
    begin = 0
    while begin < count:
        yield group[begin : ends[begin]]
        begin = int(ends[begin])


def side_by_side(sequences: Sequence[NDArray[np.int32]], encoder: PieceEncoder) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Puts sequences into one array, each between the special pieces, filled up with padding.

    Args:
        sequences: For each its pieces without special pieces. *Shape:* (pieces,).
        encoder: Knows the special pieces; text begins in column ``len(encoder.prefix)``.

    Returns:
        Ids, and a mask with 1 for a piece and 0 for padding. *Shape:* both (sequences, longest).
    """
    before, after = len(encoder.prefix), len(encoder.suffix)
    width = max(map(len, sequences)) + before + after
    ids = np.full((len(sequences), width), encoder.pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, pieces in enumerate(sequences):
        end = before + len(pieces)
        ids[row, :before] = encoder.prefix
        ids[row, before:end] = pieces
        ids[row, end : end + after] = encoder.suffix
        mask[row, : end + after] = 1
    return ids, mask
