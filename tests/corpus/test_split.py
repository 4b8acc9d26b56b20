from __future__ import annotations

import pytest

from viner.corpus import split_documents
from viner.document import Document
from viner.errors import UsageError

DOCUMENTS = [Document(f"text {index}", id=str(index)) for index in range(100)]


def test_the_parts_hold_every_document_once_in_order() -> None:
    train, dev = split_documents(DOCUMENTS)
    assert (len(train), len(dev)) == (90, 10)
    assert sorted(train + dev, key=DOCUMENTS.index) == DOCUMENTS
    assert dev == sorted(dev, key=DOCUMENTS.index)


def test_seed_and_texts_decide_and_nothing_else() -> None:
    assert {item.id for item in split_documents(DOCUMENTS)[1]} == {item.id for item in split_documents(DOCUMENTS[::-1])[1]}
    assert split_documents(DOCUMENTS, seed=1) != split_documents(DOCUMENTS, seed=2)


def test_copies_of_a_text_stay_together() -> None:
    train, dev = split_documents(DOCUMENTS + DOCUMENTS, share=0.3)
    assert len(dev) == 60
    assert not {item.text for item in train} & {item.text for item in dev}


@pytest.mark.parametrize(("count", "sizes"), [(0, (0, 0)), (1, (1, 0)), (2, (1, 1)), (5, (4, 1))])
def test_few_documents_still_give_one_for_development(count: int, sizes: tuple[int, int]) -> None:
    assert tuple(map(len, split_documents(DOCUMENTS[:count]))) == sizes


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError):
        split_documents(DOCUMENTS, share=1)


@pytest.mark.parametrize("copies", [2, 15, 40, 60])
def test_a_text_that_is_there_often_does_not_make_the_smaller_part_small(copies):
    documents = [Document(f"d{number}") for number in range(200 - copies)] + [Document("again")] * copies
    for seed in range(30):
        rest, aside = split_documents(documents, 0.1, seed)
        assert len(rest) + len(aside) == 200
        assert 18 <= len(aside) <= 20


def test_where_no_text_fits_the_rarest_is_set_aside():
    documents = [Document(text) for text in "aaabbbbccccc"]
    assert {len(split_documents(documents, 0.1, seed)[1]) for seed in range(20)} <= {3, 4}


def test_of_a_file_that_grew_most_of_the_same_is_set_aside():
    """So that a model of the smaller file has not learned what the larger one is scored on."""
    documents = [Document(f"text {number}") for number in range(80)]
    for seed in range(20):
        learned, _ = split_documents(documents[:60], 0.1, seed)
        _, aside = split_documents(documents[:65], 0.1, seed)
        assert not {document.text for document in aside} & {document.text for document in learned}
    mixed = [
        len(
            {d.text for d in split_documents(documents, 0.1, seed)[1]}
            & {d.text for d in split_documents(documents[:60], 0.1, seed)[0]}
        )
        for seed in range(20)
    ]
    assert max(mixed) <= 2
    assert sum(mixed) < 20
