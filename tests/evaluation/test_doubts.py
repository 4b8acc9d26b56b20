from __future__ import annotations

from viner.document import Document, Entity
from viner.evaluation.analysis import ErrorAnalysis
from viner.evaluation.doubts import MOST


def one(text: str, label: str | None, score: float | None = None) -> Document:
    """A document that is one entity, or none."""
    return Document(text, entities=[] if label is None else [Entity(0, len(text), label, score=score)], words=[(0, len(text))])


def doubts(*pairs: tuple[Document, Document]):
    analysis = ErrorAnalysis()
    for gold, answer in pairs:
        analysis.observe(gold, answer)
    return analysis.doubts


def test_a_sure_model_that_disagrees_makes_a_doubt_and_an_unsure_one_does_not():
    found = doubts((one("Huế", "ORG"), one("Huế", "LOC", 0.95)), (one("Nam", "ORG"), one("Nam", "PER", 0.6)))
    assert [(doubt.pair.labels, doubt.confidence) for doubt in found.found()] == [(("ORG", "LOC"), 0.95)]
    assert found.count == 1


def test_an_answer_without_a_score_says_nothing_about_the_annotation():
    assert doubts((one("Huế", "ORG"), one("Huế", "LOC"))).found() == []


def test_a_missing_annotation_is_doubted_too():
    (doubt,) = doubts((one("Huế", None), one("Huế", "LOC", 0.99))).found()
    assert doubt.pair.kind == "spurious"
    assert not doubt.supported


def test_what_other_places_say_about_the_same_text_counts_more_than_the_score():
    supported = (one("Huế", "ORG"), one("Huế", "LOC", 0.91))
    elsewhere = (one("Huế", "LOC"), one("Huế", "LOC", 0.99))
    alone = (one("Nam", "ORG"), one("Nam", "PER", 0.99))
    first, second = doubts(alone, supported, elsewhere, elsewhere).found()
    assert (first.excerpt.text, dict(first.elsewhere), first.supported) == ("Huế", {"LOC": 2}, True)
    assert (second.excerpt.text, dict(second.elsewhere), second.supported) == ("Nam", {}, False)


def test_the_surest_are_kept():
    pairs = [(one("Huế", "ORG"), one("Huế", "LOC", 0.9 + number / 10_000)) for number in range(MOST + 50)]
    found = doubts(*pairs)
    assert found.count == MOST + 50
    assert len(found.found()) == MOST
    assert min(doubt.confidence for doubt in found.found()) >= 0.905


def test_the_json_form_has_place_entities_and_evidence():
    gold = one("Huế", "ORG").with_(id="d7")
    (doubt,) = doubts((gold, one("Huế", "LOC", 0.951))).found()
    assert doubt.to_dict() == {
        "document": "d7",
        "line": None,
        "kind": "type",
        "gold": {"start": 0, "end": 3, "label": "ORG", "text": "Huế"},
        "predicted": {"start": 0, "end": 3, "label": "LOC", "text": "Huế", "score": 0.951},
        "confidence": 0.951,
        "elsewhere": {},
    }
