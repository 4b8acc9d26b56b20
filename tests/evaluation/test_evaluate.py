from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from viner.document import Document, Entity
from viner.errors import InputError
from viner.evaluation import Evaluation, evaluate_model, seen_surfaces
from viner.runtime import Recognizer, recognizer


@dataclass
class Parrot:
    """A recognizer that finds "Hà Nội" wherever it stands, and can be told to stop looking after some words."""

    labels: tuple[str, ...] = ("LOCATION", "DATE")
    sees: int = 10**9
    buffer: int = 3
    asked: list[Document] = field(default_factory=list)

    def stream(self, documents: Iterable[Document], *, unanswered: object = None) -> Iterator[Document]:
        waiting: list[Document] = []
        for document in documents:
            self.asked.append(document)
            waiting.append(document)
            if len(waiting) == self.buffer:
                yield from map(self.answer, waiting)
                waiting.clear()
        yield from map(self.answer, waiting)

    def answer(self, document: Document) -> Document:
        start = document.text.find("Hà Nội")
        words, at = [], 0
        for word in document.text.split(" "):
            words.append((at, at + len(word)))
            at += len(word) + 1
        found = [Entity(start, start + 6, "LOCATION", score=0.9, source="model")] if start >= 0 else []
        return document.with_(entities=found, words=(document.words or words)[: self.sees])


def doc(text: str, *entities: tuple[str, str], **fields: object) -> Document:
    return Document(
        text,
        entities=[Entity(text.index(surface), text.index(surface) + len(surface), label) for surface, label in entities],
        **fields,  # type: ignore[arg-type]
    )


def test_scores_every_document_against_its_own_answer_whatever_the_recognizer_buffers():
    documents = [doc("ở Hà Nội", ("Hà Nội", "LOCATION")), doc("ở Huế", ("Huế", "LOCATION")), doc("về Hà Nội"), doc("nghỉ")]
    evaluation = evaluate_model(Parrot(), iter(documents))
    micro = evaluation.scores.micro
    assert (micro.support, micro.predicted, micro.correct) == (2, 2, 1)
    assert evaluation.documents == 4
    assert evaluation.truncated_entities == 0


def test_the_recognizer_gets_the_words_of_the_file_and_never_its_annotations():
    recognizer = Parrot()
    evaluate_model(recognizer, [doc("ở Hà Nội", ("Hà Nội", "LOCATION"), id="a", words=[(0, 1), (2, 8)], meta={"gold": "x"})])
    assert recognizer.asked == [Document("ở Hà Nội", id="a", words=[(0, 1), (2, 8)])]


def test_an_observer_sees_each_scored_document_as_annotated_and_as_answered():
    documents = [doc("ở Huế", ("Huế", "LOCATION"), id="a", meta={"source": "x"}), Document("bỏ"), doc("về Hà Nội", id="b")]
    seen: list[tuple[Document, Document]] = []
    evaluate_model(Parrot(), documents, observe=lambda gold, predicted: seen.append((gold, predicted)))
    assert [gold for gold, _ in seen] == [documents[0], documents[2]]
    assert [[entity.text for entity in predicted.entities or ()] for _, predicted in seen] == [[], ["Hà Nội"]]


def test_an_evaluation_has_an_interval_modes_and_breakdowns():
    documents = [doc("ở Hà Nội", ("Hà Nội", "LOCATION"), id="a"), doc("ra Hà Nội", ("Hà Nội", "DATE"), id="b"), Document("bỏ")]
    evaluation = evaluate_model(Parrot(), documents, seen=seen_surfaces(documents[:1]))
    assert evaluation.interval is not None
    assert evaluation.interval.low <= evaluation.scores.micro.f1 <= evaluation.interval.high
    assert [(mode, scores.correct) for mode, scores in evaluation.modes.items()] == [
        ("strict", 1),
        ("exact", 2),
        ("partial", 2),
        ("type", 1),
    ]
    assert evaluation.lengths["2"] == evaluation.scores.micro
    assert {group: scores.support for group, scores in evaluation.surfaces.items()} == {"seen": 1, "other_label": 1}
    assert [(document.id, document.f1) for document in evaluation.by_document or ()] == [("a", 1.0), ("b", 0.0)]


def test_entities_beyond_what_the_recognizer_looked_at_are_lost_to_truncation():
    documents = [doc("từ Hà Nội ra Huế", ("Huế", "LOCATION"), ("Hà Nội", "LOCATION"))]
    evaluation = evaluate_model(Parrot(sees=3), documents)
    assert (evaluation.truncated_entities, evaluation.cut_entities) == (1, 0)


def test_entities_outside_of_a_files_own_words_are_told_as_such_and_found_ones_as_nothing():
    text = "ở Hà Nội, Huế"
    gold = doc(text, ("Hà Nội", "LOCATION"), ("Huế", "LOCATION"), words=[(0, 1), (2, 4), (5, 8)])
    evaluation = evaluate_model(Parrot(), [gold, doc("ra Hà Nội", ("Hà Nội", "LOCATION"), words=[(0, 2)])])
    assert (evaluation.truncated_entities, evaluation.cut_entities) == (0, 1)
    assert "1 gold entities cut a word or lie outside of all" in evaluation.to_markdown()
    gap = doc("Huế, ở Hà Nội", ("Huế", "LOCATION"), ("Hà Nội", "LOCATION"), words=[(5, 6), (7, 9), (10, 13)])
    evaluation = evaluate_model(Parrot(), [gap])
    assert (evaluation.truncated_entities, evaluation.cut_entities) == (0, 1)


def test_entities_in_words_that_windows_left_out_are_lost_to_truncation(tiny_model, monkeypatch):
    text = "Lan ở Huế. " * 40
    entities = [Entity(at + i, at + i + 3, label) for at in range(0, 440, 11) for i, label in ((0, "PERSON"), (6, "LOCATION"))]
    documents = [Document("Lan", entities=[Entity(0, 3, "PERSON")]), Document(text, entities=entities)]
    whole = evaluate_model(Recognizer.load(tiny_model), documents)
    assert (whole.scores.micro.correct, whole.truncated_entities) == (81, 0)
    plan = recognizer.plan_windows
    monkeypatch.setattr(recognizer, "plan_windows", lambda *args: plan(*args)[:1])
    broken = evaluate_model(Recognizer.load(tiny_model), documents)
    assert broken.scores.micro.correct + broken.truncated_entities == 81
    assert broken.truncated_entities > 40


def test_entities_that_cut_a_word_are_counted():
    evaluation = evaluate_model(Parrot(), [doc("BN990-993", ("BN990", "LOCATION"))])
    assert evaluation.cut_entities == 1
    assert "cut a word" in evaluation.to_markdown()


def test_labels_that_the_model_does_not_know_are_named():
    evaluation = evaluate_model(Parrot(), [doc("Ông Nam ở Hà Nội", ("Nam", "NAME"), ("Hà Nội", "LOCATION"))])
    assert evaluation.unknown_labels == {"NAME": 1}
    assert "NAME, the type of " in evaluation.to_markdown()


def test_documents_that_are_not_annotated_are_left_out():
    evaluation = evaluate_model(Parrot(), [Document("ra Hà Nội"), doc("ở Hà Nội", ("Hà Nội", "LOCATION"))])
    assert evaluation.unannotated == 1
    assert evaluation.scores.micro.f1 == 1.0


@pytest.mark.parametrize("documents", [[], [Document("ở Hà Nội")], [Document("ở Hà Nội", entities=[])]])
def test_nothing_to_score_against_is_an_error_that_names_the_file(documents):
    with pytest.raises(InputError, match=r"has an entity") as error:
        evaluate_model(Parrot(), documents, where="test.txt")
    assert error.value.where == "test.txt"


@pytest.mark.parametrize(
    ("spans", "more"),
    [([(0, 3), (7, 10)], 0), ([(0, 3), (0, 3)], 1), ([(0, 10), (0, 3), (7, 10)], 1), ([(0, 5), (3, 8), (6, 10)], 1), ([], 0)],
)
def test_entities_of_which_no_flat_answer_has_all_are_counted(spans, more):
    entities = [Entity(start, end, "LOCATION") for start, end in spans]
    documents = [Document("Huế ra Huế", entities=entities), doc("ở Hà Nội", ("Hà Nội", "LOCATION"))]
    evaluation = evaluate_model(Parrot(), documents)
    assert evaluation.overlapping_entities == more
    assert ("overlap others" in evaluation.to_markdown()) is bool(more)
    assert Evaluation.from_dict(evaluation.to_dict()).overlapping_entities == more
