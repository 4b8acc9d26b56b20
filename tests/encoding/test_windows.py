from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.encoding import Window, plan_windows


def offsets(counts):
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


@st.composite
def plans(draw):
    capacity = draw(st.integers(1, 40))
    counts = draw(st.lists(st.integers(1, draw(st.integers(1, capacity))), max_size=120))
    return counts, capacity, draw(st.integers(0, capacity - 1))


@settings(max_examples=200, deadline=None)
@given(plans())
def test_kept_words_tile_the_document_and_windows_fit(plan):
    counts, capacity, overlap = plan
    starts = offsets(counts)
    windows = plan_windows(starts, capacity, overlap)
    assert [word for window in windows for word in range(window.keep_first, window.keep_last)] == list(range(len(counts)))
    for window in windows:
        assert window.first <= window.keep_first < window.keep_last <= window.last
        assert starts[window.last] - starts[window.first] <= capacity


@settings(max_examples=200, deadline=None)
@given(plans())
def test_kept_words_see_half_the_overlap_on_both_sides(plan):
    counts, capacity, overlap = plan
    starts = offsets(counts)
    # Neighbors share whole words only, meet at a border of words, and the next one is at least a word further on: each can
    # cost a word's pieces.
    longest = max(counts, default=0)
    promised = (min(overlap, capacity - longest) - 2 * longest + 1) / 2
    for window in plan_windows(starts, capacity, overlap):
        if window.first > 0:
            assert starts[window.keep_first] - starts[window.first] >= promised
        if window.last < len(counts):
            assert starts[window.last] - starts[window.keep_last] >= promised


def test_a_text_that_fits_is_one_window():
    assert plan_windows(offsets([2, 3, 1]), 6, 5) == [Window(0, 3, 0, 3)]
    assert plan_windows(offsets([]), 6, 5) == []


def test_the_last_window_is_filled_from_behind():
    windows = plan_windows(offsets([1] * 12), 10, 2)
    assert (windows[-1].first, windows[-1].last) == (2, 12)


def test_200000_words_lose_nothing():
    counts = np.random.default_rng(0).integers(1, 6, 200_000)
    starts = offsets(counts)
    windows = plan_windows(starts, 254, 64)
    assert windows[0].keep_first == 0
    assert windows[-1].keep_last == len(counts)
    assert all(left.keep_last == right.keep_first for left, right in pairwise(windows))
    assert all(starts[window.last] - starts[window.first] <= 254 for window in windows)
    assert len(windows) < 1.1 * starts[-1] / (254 - 64)


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(ValueError, match="more than 4 pieces"):
        plan_windows(offsets([1, 5, 1]), 4, 0)
    for overlap in (-1, 4):
        with pytest.raises(ValueError, match="overlap"):
            plan_windows(offsets([1, 1]), 4, overlap)
