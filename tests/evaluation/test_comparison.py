from __future__ import annotations

import pytest

from viner import Document, Entity
from viner.evaluation.comparison import compare_tallies, document_tally

GOLD = Document("Lan ở Huế", entities=[Entity(0, 3, "PERSON"), Entity(6, 9, "LOCATION")])
RIGHT = {"PERSON": (1, 1, 1), "LOCATION": (1, 1, 1)}
WRONG = {"PERSON": (1, 1, 1), "LOCATION": (1, 0, 0)}


def test_a_document_is_counted_by_label():
    answer = GOLD.with_(entities=[Entity(0, 3, "PERSON"), Entity(4, 9, "LOCATION"), Entity(4, 5, "DATE")])
    assert document_tally(GOLD, answer) == {"PERSON": (1, 1, 1), "LOCATION": (1, 1, 0), "DATE": (0, 1, 0)}


def test_a_difference_has_an_interval_and_a_chance():
    comparison = compare_tallies("old", "new", [WRONG] * 20, [RIGHT] * 20)
    assert comparison.delta == pytest.approx(1 - 2 / 3)
    assert comparison.p_value == pytest.approx(1 / 2001)
    assert comparison.interval is not None
    assert comparison.interval.low == comparison.interval.high == pytest.approx(comparison.delta)  # all documents are alike
    data = comparison.to_dict()
    assert data["overall"] == {"a": pytest.approx(2 / 3), "b": 1.0, "support": 40}
    assert data["labels"]["LOCATION"] == {"a": 0.0, "b": 1.0, "support": 20}


def test_a_label_that_one_does_not_know_is_there_for_both():
    comparison = compare_tallies("a", "b", [{"PERSON": (1, 1, 1)}], [{"PERSON": (1, 1, 1), "DATE": (0, 1, 0)}])
    assert comparison.to_dict()["labels"]["DATE"] == {"a": None, "b": 0.0, "support": 0}


def test_without_entities_nothing_is_tested():
    comparison = compare_tallies("a", "b", [{}], [{}])
    assert (comparison.p_value, comparison.interval, comparison.delta) == (None, None, 0.0)
