from itertools import product
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from viner.encoding import BATCH_SCORES, cut_by_budget, cut_by_pieces, side_by_side


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
        # What begins at one of its sequences would have spared less than a batch takes.
        assert scores_for_padding(lengths, batch) <= BATCH_SCORES * sum(1 / place for place in range(1, len(batch) + 1))


def scores_for_padding(lengths, batch):
    squares = lengths[batch].astype(np.int64) ** 2
    return int(squares.max() * len(batch) - squares.sum())


@given(st.lists(st.integers(1, 120), min_size=1, max_size=9))
def test_no_other_cut_of_a_few_sequences_takes_less_time(lengths):
    lengths = np.sort(np.array(lengths, dtype=np.int64))[::-1]
    order = np.arange(len(lengths))

    def cost(batches):
        return sum(BATCH_SCORES + scores_for_padding(lengths, batch) for batch in batches)

    ours = cost(cut_by_pieces(order, lengths, 10_000))
    for cuts in product((False, True), repeat=len(lengths) - 1):
        assert ours <= cost(np.split(order, np.flatnonzero(cuts) + 1))


def test_sequences_of_one_length_stay_together_whatever_their_number():
    lengths = np.full(10, 40)
    assert [len(batch) for batch in cut_by_pieces(np.arange(10), lengths, 256)] == [5, 5]
    lengths = np.full(100, 3)
    assert [len(batch) for batch in cut_by_pieces(np.arange(100), lengths, 256)] == [100]


def test_special_pieces_and_padding():
    encoder = SimpleNamespace(prefix=(2,), suffix=(3, 4), pad=1)
    ids, mask = side_by_side([np.array([5, 6], dtype=np.int32), np.array([7], dtype=np.int32)], encoder)
    assert ids.tolist() == [[2, 5, 6, 3, 4], [2, 7, 3, 4, 1]]
    assert mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
    assert ids.dtype == mask.dtype == np.int64
