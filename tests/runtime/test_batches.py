import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from viner.runtime.batches import pad, plan_batches


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 700))
def test_batches_hold_every_sequence_once_and_keep_the_budget(lengths, budget):
    batches = plan_batches(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) * max(lengths[index] for index in batch) <= budget or len(batch) == 1


def test_sequences_of_like_length_share_a_batch():
    assert plan_batches([10, 3, 10, 3], 20) == [[0, 2], [1, 3]]


def test_padding():
    ids, mask = pad([np.array([5, 6]), np.array([7])], 1)
    assert ids.tolist() == [[5, 6], [7, 1]]
    assert mask.tolist() == [[1, 1], [1, 0]]
