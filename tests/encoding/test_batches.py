from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from viner.encoding import cut_by_budget, cut_by_pieces, side_by_side


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 700), st.randoms())
def test_batches_hold_every_sequence_once_in_order_and_keep_the_budget(lengths, budget, draw):
    order = list(range(len(lengths)))
    draw.shuffle(order)
    batches = [batch.tolist() for batch in cut_by_budget(np.array(order, dtype=np.int64), np.array(lengths), budget)]
    assert [index for batch in batches for index in batch] == order
    for batch in batches:
        assert len(batch) * max(lengths[index] for index in batch) <= budget or len(batch) == 1


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 700))
def test_batches_without_padding_hold_every_sequence_once_and_about_as_many_pieces(lengths, budget):
    lengths = np.array(lengths, dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    batches = list(cut_by_pieces(order, lengths, budget))
    assert np.array_equal(np.concatenate([*batches, order[:0]]), order)
    for batch in batches:
        pieces = int(lengths[batch].sum())
        assert pieces - lengths[batch[-1]] / 2 <= 1.5 * budget or len(batch) == 1
        assert lengths[batch].max() * len(batch) - pieces <= 2 * budget


def test_a_few_sequences_are_not_cut_into_one_large_batch_and_a_tiny_one():
    lengths = np.array([90, 60, 45, 35, 25, 15])
    assert [batch.tolist() for batch in cut_by_pieces(np.arange(6), lengths, 256)] == [[0, 1, 2, 3, 4, 5]]
    lengths = np.full(10, 40)
    assert [len(batch) for batch in cut_by_pieces(np.arange(10), lengths, 256)] == [5, 5]


def test_special_pieces_and_padding():
    encoder = SimpleNamespace(prefix=(2,), suffix=(3, 4), pad=1)
    ids, mask = side_by_side([np.array([5, 6], dtype=np.int32), np.array([7], dtype=np.int32)], encoder)
    assert ids.tolist() == [[2, 5, 6, 3, 4], [2, 7, 3, 4, 1]]
    assert mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
    assert ids.dtype == mask.dtype == np.int64
