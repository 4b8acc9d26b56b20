from __future__ import annotations

from collections import Counter

import pytest

from viner.corpus import fold_numbers
from viner.document import Document
from viner.errors import UsageError


def documents(*texts: str) -> list[Document]:
    return [Document(text) for text in texts]


def test_folds_are_of_equal_size_and_the_same_text_is_in_one():
    members = documents(*"abcdefghij", "a", "b")
    folds = fold_numbers(members, 3)
    assert sorted(Counter(folds[:10]).values()) == [3, 3, 4]
    assert (folds[10], folds[11]) == (folds[0], folds[1])


def test_the_order_of_the_documents_changes_nothing_and_the_seed_does():
    members = documents(*"abcdefghij")
    folds = fold_numbers(members, 5, seed=4)
    assert fold_numbers(members[::-1], 5, seed=4) == folds[::-1]
    assert fold_numbers(members, 5, seed=5) != folds


@pytest.mark.parametrize("folds", [0, 1, 4])
def test_more_folds_than_texts_or_fewer_than_two_are_refused(folds):
    with pytest.raises(UsageError, match=f"3 different texts cannot be divided into {folds}"):
        fold_numbers(documents("a", "b", "c", "a"), folds)
