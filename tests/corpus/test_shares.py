from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.corpus.shares import nested_shares
from viner.document import Document


def documents(*texts: str) -> list[Document]:
    return [Document(text, id=f"{index}") for index, text in enumerate(texts)]


@given(
    st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=40),
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5).map(sorted),
    st.integers(0, 5),
)
def test_a_larger_part_holds_all_of_a_smaller_one_and_texts_stay_together(texts, shares, seed):
    members = documents(*texts)
    parts = nested_shares(members, [*shares, 1.0], seed)
    assert parts[-1] == members
    names = [{document.id for document in part} for part in parts]
    assert all(small <= large for small, large in pairwise(names))
    for share, part in zip(shares, parts, strict=False):
        inside = {document.text for document in part}
        assert part == [document for document in members if document.text in inside]
        assert len(part) <= max(share * len(members) + 1e-6, texts.count(part[0].text))


def test_sizes_are_the_shares_and_the_seed_draws():
    members = documents(*(f"{index}" for index in range(100)))
    parts = nested_shares(members, [0.1, 0.25, 0.5, 1.0], seed=1)
    assert [len(part) for part in parts] == [10, 25, 50, 100]
    assert nested_shares(members[::-1], [0.1], seed=1) == [parts[0][::-1]]
    assert nested_shares(members, [0.1], seed=2) != [parts[0]]
    assert nested_shares(members, [0.7], seed=1)[0] == [item for item in members if item in nested_shares(members, [0.7], 1)[0]]


@pytest.mark.parametrize("copies", [5, 40, 60])
def test_a_text_that_is_there_often_does_not_make_parts_equal(copies):
    documents = [Document(f"d{number}") for number in range(200 - copies)] + [Document("again")] * copies
    for seed in range(30):
        parts = nested_shares(documents, (0.1, 0.25, 0.5, 1), seed)
        assert [len(part) for part in parts] == [20, 50, 100, 200]
