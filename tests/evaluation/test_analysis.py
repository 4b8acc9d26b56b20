from __future__ import annotations

import json

from viner.document import Document, Entity
from viner.evaluation.analysis import WORST, ErrorAnalysis
from viner.text import split_words


def doc(text: str, *entities: tuple[str, str] | tuple[str, str, float], **fields: object) -> Document:
    """A document in which each surface, at its first place, has a label and maybe a score."""
    made = [
        Entity(text.index(surface), text.index(surface) + len(surface), label, score=score[0] if score else None)
        for surface, label, *score in entities
    ]
    return Document(text, entities=made, words=split_words(text), **fields)  # type: ignore[arg-type]


TEXT = "Lan gặp Minh ở Hà Nội rồi về Bộ Y tế"
GOLD = doc(TEXT, ("Lan", "PER"), ("Minh", "PER"), ("Hà Nội", "LOC"), ("Bộ Y tế", "ORG"), id="a")
ANSWER = doc(TEXT, ("Lan", "PER"), ("Minh", "LOC"), ("Nội", "LOC"), ("gặp", "ORG"))


def analysis(*pairs: tuple[Document, Document], **options: int) -> ErrorAnalysis:
    found = ErrorAnalysis(**options)
    for gold, answer in pairs:
        found.observe(gold, answer)
    return found


def test_pairs_are_counted_by_kind_by_labels_and_by_label_and_kind():
    found = analysis((GOLD, ANSWER))
    assert found.counts == {"correct": 1, "type": 1, "boundary": 1, "missed": 1, "spurious": 1}
    assert found.errors == 4
    assert found.confusion["PER", "LOC"] == found.confusion["LOC", "LOC"] == 1
    assert found.confusion["ORG", None] == found.confusion[None, "ORG"] == 1
    assert found.by_label["ORG", "missed"] == found.by_label["ORG", "spurious"] == 1


def test_an_example_has_its_offsets_its_document_and_its_text():
    (example,) = analysis((GOLD, ANSWER)).examples("boundary")
    assert example.excerpt.text == TEXT
    assert example.to_dict() == {
        "kind": "boundary",
        "document": "a",
        "line": None,
        "gold": {"start": 15, "end": 21, "label": "LOC", "text": "Hà Nội"},
        "predicted": {"start": 18, "end": 21, "label": "LOC", "text": "Nội"},
    }
    assert TEXT[15:21] == "Hà Nội"


def test_examples_are_few_and_every_pair_of_types_is_among_them():
    lone = (doc("Huế", ("Huế", "LOC")), doc("Huế", ("Huế", "ORG")))
    many = [(doc("Lan", ("Lan", "PER")), doc("Lan", ("Lan", "LOC")))] * 200
    found = analysis(*many, lone, examples=5)
    labels = [example.pair.labels for example in found.examples("type")]
    assert len(labels) == 5
    assert ("LOC", "ORG") in labels
    assert found.counts["type"] == 201


def test_surfaces_are_ranked_by_errors_with_what_was_annotated_and_recognized():
    hue = (doc("Huế", ("Huế", "LOC")), doc("Huế"))
    lan = (doc("Lan", ("Lan", "PER")), doc("Lan", ("Lan", "LOC")))
    fine = (doc("Nam", ("Nam", "PER")), doc("Nam", ("Nam", "PER")))
    first, second = analysis(hue, lan, hue, fine).surfaces.hardest()
    assert first.to_dict() == {"text": "Huế", "gold": {"LOC": 2}, "predicted": {}, "errors": 2}
    assert second.to_dict() == {"text": "Lan", "gold": {"PER": 1}, "predicted": {"LOC": 1}, "errors": 1}


def test_texts_with_several_annotated_types_are_named_even_where_the_model_agrees():
    pairs = [doc("Huế", ("Huế", label)) for label in ("LOC", "LOC", "ORG")] + [doc("Lan", ("Lan", "PER"))]
    (disputed,) = analysis(*((pair, pair) for pair in pairs)).surfaces.disputed()
    assert (disputed.text, dict(disputed.gold), disputed.errors) == ("Huế", {"LOC": 2, "ORG": 1}, 0)


def test_the_worst_documents_are_named_and_the_others_are_not_kept():
    right, wrong = doc("Lan", ("Lan", "PER")), doc("Lan")
    pairs = [(right.with_(id=f"d{number}"), right if number % 2 else wrong) for number in range(200)]
    found = analysis((GOLD, ANSWER), *pairs)
    worst = found.worst()
    assert len(worst) == WORST
    assert (worst[0].name, worst[0].errors) == ("a", 4)
    assert [document.name for document in worst[1:4]] == ["d0", "d2", "d4"]


def test_half_of_the_errors_are_in_as_few_documents_as_it_takes():
    wrong = (doc("Lan", ("Lan", "PER")), doc("Lan"))
    fine = (doc("Lan"), doc("Lan"))
    assert analysis((GOLD, ANSWER), wrong, wrong, fine).half() == (1, 4)
    assert analysis(wrong, wrong, wrong, fine).half() == (2, 2)
    assert analysis(fine).half() == (0, 0)


def test_the_json_form_says_what_each_kind_costs():
    data = json.loads(json.dumps(analysis((GOLD, ANSWER)).to_dict()))
    assert data["errors"] == 4
    assert data["kinds"]["type"] == {"count": 1, "f1_gain": 0.25}
    assert {"gold": "PER", "predicted": "LOC", "count": 1} in data["confusion"]
