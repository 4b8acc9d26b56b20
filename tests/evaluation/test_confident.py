from __future__ import annotations

import numpy as np
import pytest

from viner.corpus import REVIEWED
from viner.document import Document, Entity
from viner.evaluation.confident import Judged, doubtful

LABELS = ("LOC", "PER")


def judged(text: str, gold: dict[int, str], probabilities: list[dict[str, float]], learned=LABELS, **fields) -> Judged:
    """A document of words, some of them annotated, and what a model says of each word; it answers the most probable class."""
    words, at = [], 0
    for word in text.split():
        words.append((at, at + len(word)))
        at += len(word) + 1
    table = np.array([[row.get("", 0.0), *(row.get(label, 0.0) for label in LABELS)] for row in probabilities])
    best = table.argmax(axis=1)
    found = [Entity(*words[index], LABELS[label - 1]) for index, label in enumerate(best) if label]
    return Judged(
        Document(text, entities=[Entity(*words[index], label) for index, label in gold.items()], words=words, **fields),
        Document(text, entities=found, words=words),
        table,
        LABELS,
        frozenset(learned),
    )


SURE_LOC, SURE_PER, NOTHING = {"LOC": 0.95, "": 0.05}, {"PER": 0.95, "": 0.05}, {"": 0.98, "LOC": 0.02}
USUAL = [judged("ở Huế", {1: "LOC"}, [NOTHING, SURE_LOC]), judged("ông Lan", {1: "PER"}, [NOTHING, SURE_PER])] * 5


def test_where_model_and_annotation_agree_there_is_no_doubt():
    assert doubtful(USUAL) == []


@pytest.mark.parametrize(
    ("gold", "words", "labels"),
    [
        ({1: "PER"}, [NOTHING, {"LOC": 0.97, "PER": 0.03}], ("PER", "LOC")),  # a wrong type
        ({}, [NOTHING, {"LOC": 0.97, "": 0.03}], (None, "LOC")),  # a missing entity
        ({0: "PER"}, [{"": 0.99, "PER": 0.01}, NOTHING], ("PER", None)),  # one too many
    ],
)
def test_planted_errors_are_doubted_by_as_much_as_the_annotated_class_is_improbable(gold, words, labels):
    (doubt,) = doubtful([*USUAL, judged("ở Huế", gold, words)])
    assert doubt.pair.labels == labels
    assert doubt.confidence == pytest.approx(1 - words[0 if 0 in gold else 1].get(labels[0] or "", 0.0))


def test_a_model_that_is_less_sure_than_it_usually_is_raises_no_doubt():
    assert doubtful([*USUAL, judged("ở Huế", {1: "PER"}, [NOTHING, {"LOC": 0.6, "PER": 0.4}])]) == []


def test_a_class_of_which_the_model_is_never_sure_is_held_to_its_own_bar():
    hesitant = [judged("ở Huế", {1: "LOC"}, [NOTHING, {"LOC": 0.6, "": 0.4}])] * 5
    odd = judged("ở Huế", {1: "PER"}, [NOTHING, {"LOC": 0.62, "PER": 0.38}])
    assert [doubt.pair.labels for doubt in doubtful([*hesitant, odd])] == [("PER", "LOC")]
    assert doubtful([*USUAL, odd]) == []


def test_the_most_doubtful_comes_first_with_what_other_places_say():
    strong = judged("ở Huế", {1: "PER"}, [NOTHING, {"LOC": 0.99, "PER": 0.01}], id="strong")
    weak = judged("ở Vinh", {1: "PER"}, [NOTHING, {"LOC": 0.96, "PER": 0.04}], id="weak")
    first, second = doubtful([*USUAL, weak, strong])
    assert (first.excerpt.document, dict(first.elsewhere)) == ("strong", {"LOC": 5})
    assert (second.excerpt.document, dict(second.elsewhere)) == ("weak", {})


def test_a_label_that_the_model_has_never_seen_is_not_judged():
    assert doubtful([*USUAL, judged("ở Huế", {1: "PER"}, [NOTHING, SURE_LOC], learned=("LOC",))]) == []


def test_of_a_document_that_is_annotated_in_part_only_what_was_decided_is_judged():
    words = [SURE_LOC, SURE_LOC]
    whole = judged("Huế Vinh", {}, words)
    half = judged("Huế Vinh", {}, words, meta={REVIEWED: [[0, 3]]})
    assert len(doubtful([*USUAL, whole])) == 2
    assert [doubt.pair.start for doubt in doubtful([*USUAL, half])] == [0]
