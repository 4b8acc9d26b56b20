from __future__ import annotations

import pytest

from viner.metrics import Scores


def test_figures_follow_from_counts():
    scores = Scores.from_counts(support=4, predicted=2, correct=1)
    assert (scores.precision, scores.recall) == (0.5, 0.25)
    assert scores.f1 == pytest.approx(1 / 3)


@pytest.mark.parametrize(("support", "predicted"), [(0, 0), (3, 0), (0, 3)])
def test_division_by_zero_gives_zero(support, predicted):
    scores = Scores.from_counts(support=support, predicted=predicted, correct=0)
    assert (scores.precision, scores.recall, scores.f1) == (0.0, 0.0, 0.0)


def test_micro_weighs_items_and_macro_weighs_labels():
    parts = [Scores.from_counts(support=9, predicted=9, correct=9), Scores.from_counts(support=1, predicted=1, correct=0)]
    assert Scores.micro(parts).f1 == pytest.approx(0.9)
    assert Scores.macro(parts).f1 == pytest.approx(0.5)
    assert (Scores.macro(parts).support, Scores.macro(parts).predicted, Scores.macro(parts).correct) == (10, 10, 9)


def test_no_labels_give_zeros():
    assert Scores.macro([]).to_dict() == Scores.micro([]).to_dict() == dict.fromkeys(Scores.micro([]).to_dict(), 0)
