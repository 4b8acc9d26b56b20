from __future__ import annotations

import pytest

from viner import Document, Entity
from viner.errors import InputError
from viner.evaluation import seen_surfaces
from viner.evaluation.breakdowns import Breakdowns
from viner.metrics import ModeScores

TEXT = "Lan ra Hà Nội, rồi về Huế."
WORDS = [(0, 3), (4, 6), (7, 9), (10, 13), (13, 14), (15, 18), (19, 21), (22, 25), (25, 26)]


def entity(surface: str, label: str) -> Entity:
    return Entity(TEXT.index(surface), TEXT.index(surface) + len(surface), label)


def observed(gold, predicted, seen=None):
    breakdowns = Breakdowns(seen)
    breakdowns.observe(Document(TEXT, id="a", entities=gold), Document(TEXT, words=WORDS, entities=predicted))
    return breakdowns


def test_lengths_are_counted_in_the_words_of_the_recognizer():
    gold = [entity("Lan", "PERSON"), entity("Hà Nội", "LOCATION"), entity("rồi về Huế", "LOCATION")]
    lengths = observed(gold, [*gold[:2], entity("về Huế", "LOCATION")]).lengths()
    assert list(lengths) == ["1", "2", "3"]
    assert (lengths["1"].support, lengths["1"].f1) == (1, 1.0)
    assert (lengths["2"].recall, lengths["2"].precision) == (1.0, 0.5)  # "về Huế" is two words long, and wrong
    assert (lengths["3"].support, lengths["3"].predicted, lengths["3"].correct) == (1, 0, 0)


def test_modes_of_a_label_know_nothing_of_the_others():
    gold = [entity("Lan", "PERSON"), entity("Hà Nội", "LOCATION"), entity("rồi về Huế", "LOCATION")]
    found = observed(gold, [entity("Lan", "LOCATION"), entity("Hà Nội", "LOCATION"), entity("Huế", "LOCATION")])
    assert found.modes["exact"].correct == 2, "Lan is found, as something else"
    assert found.modes_by_label["PERSON"]["exact"] == ModeScores(missed=1)
    location = found.modes_by_label["LOCATION"]
    assert location["strict"] == location["exact"] == ModeScores(correct=1, incorrect=1, spurious=1)
    assert location["partial"] == ModeScores(correct=1, partial=1, spurious=1)
    assert location["type"] == ModeScores(correct=2, spurious=1)


def test_an_entity_with_the_wrong_label_is_wrong_in_its_length_too():
    assert observed([entity("Lan", "PERSON")], [entity("Lan", "LOCATION")]).lengths()["1"].correct == 0


def test_entities_are_told_apart_by_what_the_training_had():
    seen = seen_surfaces([Document("Lan ở Huế", entities=[Entity(0, 3, "LOCATION"), Entity(6, 9, "LOCATION")]), Document("?")])
    gold = [entity("Lan", "PERSON"), entity("Hà Nội", "LOCATION"), entity("Huế", "LOCATION")]
    surfaces = observed(gold, gold[1:], seen).surfaces()
    assert {group: (scores.support, scores.correct) for group, scores in surfaces.items()} == {
        "seen": (1, 1),
        "other_label": (1, 0),
        "unseen": (1, 1),
    }
    assert observed(gold, gold).surfaces() == {}


def test_modes_and_documents_add_up():
    breakdowns = observed([entity("Lan", "PERSON")], [entity("Lan", "LOCATION")])
    breakdowns.observe(Document(TEXT, entities=[entity("Huế", "LOCATION")]), Document(TEXT, words=WORDS, entities=[]))
    assert breakdowns.modes["exact"] == ModeScores(correct=1, missed=1)
    assert breakdowns.documents.counts().tolist() == [[1, 1, 0], [1, 0, 0]]


def test_a_training_file_without_entities_is_an_error_that_names_it():
    with pytest.raises(InputError, match="no annotated entity") as error:
        seen_surfaces([Document("Lan")], where="train.txt")
    assert error.value.where == "train.txt"
