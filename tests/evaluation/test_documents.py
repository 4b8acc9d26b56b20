import pytest

from viner.evaluation.documents import DocumentScores


def documents():
    scores = DocumentScores()
    for row in (("a", 2, 2, 2), ("b", 4, 2, 1), (None, 0, 0, 0), ("d", 3, 3, 1), ("e", 0, 1, 0)):
        scores.add(*row)
    return scores


def test_each_document_has_its_figures_in_order():
    assert [document.f1 for document in documents()] == [1.0, pytest.approx(1 / 3), None, pytest.approx(1 / 3), 0.0]
    assert [document.number for document in documents()] == [1, 2, 3, 4, 5]
    assert next(iter(documents())).to_dict() == {
        "number": 1, "id": "a", "support": 2, "predicted": 2, "correct": 2, "f1": 1.0,
    }  # fmt: skip


def test_the_worst_have_most_errors_and_of_equals_the_first_goes_first():
    assert [(document.id, document.errors) for document in documents().worst(2)] == [("b", 4), ("d", 4)]
    assert [document.id for document in documents().worst(9)] == ["b", "d", "e"]
    assert documents().without_error() == 2


def test_counts_are_a_table():
    assert documents().counts().tolist() == [[2, 2, 2], [4, 2, 1], [0, 0, 0], [3, 3, 1], [0, 1, 0]]
    assert DocumentScores().counts().shape == (0, 3)
