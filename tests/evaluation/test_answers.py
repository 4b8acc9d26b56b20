"""Answers of a file are scored as a model's are."""

import pytest

from viner.document import Document, Entity
from viner.errors import InputError
from viner.evaluation import evaluate_model
from viner.evaluation.answers import Answers
from viner.evaluation.versus import compare_models

LAN, HUE = Entity(0, 3, "PERSON"), Entity(7, 10, "LOCATION")
GOLD = [
    Document("Lan ra Huế", id="a", entities=[LAN, HUE], words=[(0, 3), (4, 6), (7, 10)]),
    Document("Lan", id="b", entities=[LAN]),
    Document("Lan", id="c", entities=[]),
]


def test_every_document_gets_the_answer_of_its_text_whatever_the_order():
    answers = Answers([GOLD[1], Document("nobody asks", entities=[]), GOLD[2], Document("Lan ra Huế", entities=[HUE])])
    assert answers.labels == ("LOCATION", "PERSON")
    given = list(answers.stream(document.bare() for document in GOLD))
    assert [document.entities for document in given] == [(HUE,), (LAN,), ()]
    assert [document.id for document in given] == ["a", "b", "c"]
    assert given[0].words == GOLD[0].words
    evaluation = evaluate_model(answers, GOLD)
    micro = evaluation.scores.micro
    assert (micro.support, micro.predicted, micro.correct, evaluation.truncated_entities) == (3, 2, 2, 0)
    assert evaluate_model(answers, GOLD) == evaluation  # they can be asked again


def test_of_answers_to_the_same_text_each_document_gets_its_own():
    given = list(Answers([GOLD[2], GOLD[1], Document("Lan", entities=[])]).stream([*GOLD[1:], Document("Lan", id="x")]))
    assert [document.entities for document in given] == [(LAN,), (), ()]


@pytest.mark.parametrize(("count", "there"), [(0, "0 of its text"), (1, "1 of its text")])
def test_a_document_without_an_answer_is_named(count, there):
    answers = Answers([GOLD[0], *[GOLD[1]] * count], where="answers.jsonl")
    with pytest.raises(InputError, match=there) as caught:
        list(answers.stream(GOLD))
    assert (caught.value.where, f"no answer to document {GOLD[1 + count].id or 2 + count}:" in caught.value.message) == (
        "answers.jsonl",
        True,
    )


def test_answers_that_say_nothing_are_none():
    with pytest.raises(InputError, match="document 2 \\(b\\) says nothing of entities"):
        Answers([GOLD[0], Document("Lan", id="b")])


def test_an_answer_that_another_document_will_ask_for_is_left_to_it():
    gold = [Document("x Lan", id="a"), Document("x Lan", id="b")]
    given = [Document("x Lan", id="b", entities=[]), Document("x Lan", entities=[Entity(2, 5, "PER")])]
    for answers in (given, given[::-1]):
        found = list(Answers(answers).stream(gold))
        assert [len(document.entities) for document in found] == [1, 0]


def test_documents_without_ids_are_called_after_their_place_in_the_file():
    gold = [Document("Lan", entities=[]), Document("Minh"), Document("Huế", entities=[Entity(0, 3, "LOC")])]
    with pytest.raises(InputError, match="no answer to document #3:"):
        evaluate_model(Answers([Document("Lan", entities=[])]), gold)
    evaluation = evaluate_model(Answers([Document("Lan", entities=[]), Document("Huế", entities=[])]), gold)
    assert [document.id for document in evaluation.by_document] == ["#1", "#3"]


def test_an_answer_of_another_document_is_never_taken_where_its_own_is_missing():
    gold = [Document("x Lan", id="a"), Document("x Lan", id="b"), Document("x Lan", id="c")]
    given = [Document("x Lan", id="b", entities=[]), Document("x Lan", id="c", entities=[Entity(2, 5, "PER")])]
    with pytest.raises(InputError, match="no answer to document a: 2 of its text are there, 2 of them with the ids of other"):
        list(Answers(given).stream(gold))
    found = list(Answers([*given, Document("x Lan", id="another", entities=[Entity(0, 1, "PER")])]).stream(gold))
    assert [[entity.start for entity in document.entities] for document in found] == [[0], [], [2]]


@pytest.mark.parametrize("compared", [False, True])
def test_without_ids_the_place_says_whose_an_answer_is(compared):
    """A document that is not annotated is not asked for, and its answer is not that of the next of the same text."""
    gold = [Document("Lan"), Document("Lan", entities=[LAN])]
    answers = Answers([Document("Lan", entities=[]), Document("Lan", entities=[LAN])])
    if compared:
        _, versus = compare_models(Answers([gold[1]]), answers, gold)
        assert not versus.cases("broken")
    else:
        assert evaluate_model(answers, gold).scores.micro.correct == 1


def test_an_id_that_a_document_of_another_text_has_reserves_nothing():
    gold = [Document("Lan ra Huế", id="1"), Document("Lan", id="2")]
    given = [Document("Lan", id="1", entities=[LAN]), Document("Lan ra Huế", id="2", entities=[LAN, HUE])]
    assert [len(document.entities) for document in Answers(given).stream(gold)] == [2, 1]
