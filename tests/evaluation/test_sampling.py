from __future__ import annotations

from collections import Counter

import pytest

from viner.evaluation.sampling import Sample


def drawn(groups: list[str], most: int, seed: int = 0) -> list[tuple[str, int]]:
    sample: Sample[tuple[str, int]] = Sample(most, seed)
    for number, group in enumerate(groups):
        sample.offer(group, lambda group=group, number=number: (group, number))
    assert sample.count == len(groups)
    return sample.drawn()


def test_what_fits_is_there_whole_and_in_order():
    assert drawn(["a", "b", "a"], 3) == [("a", 0), ("b", 1), ("a", 2)]


def test_a_rare_group_is_seen_beside_a_common_one_which_takes_what_is_left():
    groups = Counter(group for group, _ in drawn(["a"] * 500 + ["b"] * 2 + ["c"] * 80, 20))
    assert groups == {"a": 9, "b": 2, "c": 9}


@pytest.mark.parametrize("most", [1, 2, 5])
def test_more_groups_than_places_leave_no_more_than_the_places(most):
    found = drawn(list("abcdefgh") * 9, most)
    assert len(found) == most
    assert len({group for group, _ in found}) == most


def test_examples_come_from_the_whole_stream():
    numbers = [number for _, number in drawn(["a"] * 2000, 40)]
    assert numbers == sorted(numbers)
    assert all(any(low <= number < low + 500 for number in numbers) for low in range(0, 2000, 500))


def test_the_same_seed_draws_the_same():
    assert drawn(["a", "b"] * 200, 10, seed=3) == drawn(["a", "b"] * 200, 10, seed=3)
    assert drawn(["a", "b"] * 200, 10, seed=3) != drawn(["a", "b"] * 200, 10, seed=4)


def test_only_what_is_drawn_is_made():
    made = []
    sample: Sample[int] = Sample(2)
    for number in range(1000):
        sample.offer("a", lambda number=number: made.append(number) or number)
    assert len(made) < 60
