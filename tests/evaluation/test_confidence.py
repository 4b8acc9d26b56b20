from __future__ import annotations

import json

import pytest

from viner.document import Document, Entity
from viner.evaluation.confidence import Confidence, ConfidenceTally

TEXT = "Lan từ Huế đến Paris"
LAN, HUE, PARIS = (0, 3, "PERSON"), (7, 10, "LOCATION"), (15, 20, "LOCATION")


def gold(*spans: tuple[int, int, str]) -> Document:
    return Document(TEXT, entities=[Entity(*span) for span in spans])


def answer(*scored: tuple[tuple[int, int, str], float | None]) -> Document:
    return Document(TEXT, entities=[Entity(*span, score=score) for span, score in scored])


def tallied(*pairs: tuple[Document, Document]) -> Confidence:
    tally = ConfidenceTally()
    for annotated, predicted in pairs:
        tally.add(annotated, predicted)
    return tally.confidence()


def test_an_entity_is_right_if_borders_and_type_are():
    found = tallied(
        (gold(LAN, HUE), answer((LAN, 0.9), (HUE, 0.8))),
        (gold((7, 10, "PERSON"), (15, 18, "LOCATION")), answer((HUE, 0.8), (PARIS, 0.6))),
    )
    assert [(item.lower, item.count, item.precision) for item in found.bins] == [(0.6, 1, 0.0), (0.8, 2, 0.5), (0.9, 1, 1.0)]
    assert found.ece == pytest.approx((0.6 + 2 * 0.3 + 0.1) / 4)
    kept = {item.threshold: (item.kept, item.precision) for item in found.selective}
    assert kept[0.9] == (0.25, 1.0)
    assert kept[0.7] == (0.75, pytest.approx(2 / 3))
    assert kept[0.99] == (0.0, None)


def test_what_is_found_twice_is_right_once():
    found = tallied((gold(LAN), answer((LAN, 0.9), (LAN, 0.9))))
    assert [(item.count, item.precision) for item in found.bins] == [(2, 0.5)]


def test_entities_of_rules_have_no_score_and_are_not_asked_about():
    found = tallied((gold(LAN, HUE), answer((LAN, None), (HUE, 0.5))))
    assert found.entities == 1
    nothing = tallied((gold(LAN), answer((LAN, None))), (gold(LAN), Document(TEXT)))
    assert nothing.to_markdown() == "Confidence: no entity with a score was found.\n"
    assert json.dumps(nothing.to_dict(), allow_nan=False)


def test_the_json_form_comes_back_and_holds_the_diagram():
    found = tallied((gold(LAN), answer((LAN, 0.9), (HUE, 0.7))))
    data = json.loads(json.dumps(found.to_dict()))
    assert Confidence.from_dict(data) == found
    assert data["bins"][0] == {"lower": 0.7, "upper": 0.7, "count": 1, "score": 0.7, "precision": 0.0}


def test_the_table_says_how_many_entities_reach_a_score_and_how_many_of_them_are_right():
    lines = tallied((gold(LAN), answer((LAN, 0.9), (HUE, 0.7)))).to_markdown().splitlines()
    assert lines[0].startswith("Confidence over 2 entities: expected calibration error 0.4000 (")
    table = [line for line in lines if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    rows = {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in table)}
    assert rows["0.90"] == ["50.0%", "100.0%"]
    assert rows["0.95"] == ["0.0%", ""]
