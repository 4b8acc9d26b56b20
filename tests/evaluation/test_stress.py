from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from viner.corpus.perturb import PERTURBATIONS, perturbations
from viner.document import Document, Entity
from viner.errors import InputError
from viner.evaluation.stress import stress_model
from viner.runtime import Recognizer
from viner.text import split_words, tone_style


@dataclass
class Reader:
    """A recognizer that knows one name, in any tone style, and counts how many documents wait for their answer at most."""

    name: str = "Hòa"
    labels: tuple[str, ...] = ("PERSON",)

    def stream(self, documents: Iterable[Document], *, unanswered: object = None) -> Iterator[Document]:
        for document in documents:
            words = document.words if document.words is not None else split_words(document.text)
            found = [word for word in words if tone_style(document.text[slice(*word)], "old") == self.name]
            entities = [Entity(start, end, "PERSON", score=0.9, source="model") for start, end in found]
            yield document.with_(entities=entities, words=words)


def doc(text: str = "Bà Hòa về.") -> Document:
    return Document(text, entities=[Entity(3, 6, "PERSON")])


def test_points_are_lost_where_the_recognizer_reads_another_word():
    report = stress_model(Reader(), lambda: [doc(), doc()], perturbations(["no-diacritics", "tone-style", "nfd", "lower"]))
    assert report.clean.scores.micro.f1 == 1
    assert {outcome.name: report.lost(outcome) for outcome in report.outcomes} == {
        "no-diacritics": 100,
        "tone-style": 0,
        "nfd": 0,
        "lower": 100,
    }
    assert all(outcome.scores.micro.support == 2 for outcome in report.outcomes)


def test_documents_that_change_are_counted_and_perturbations_without_any_are_told():
    plain = Document("Lan ok", entities=[Entity(0, 3, "PERSON")])
    report = stress_model(Reader(), lambda: [plain, doc(), plain], perturbations(["no-diacritics", "no-stop", "upper"]))
    assert [outcome.changed for outcome in report.outcomes] == [1, 3, 1]
    untouched = stress_model(Reader(), lambda: [plain], perturbations(["no-diacritics", "upper"]))
    lines = untouched.to_markdown().splitlines()
    assert "Nothing in these documents to change: no-diacritics." in lines
    assert " – |" in next(line for line in lines if line.startswith("| no-diacritics"))


def test_documents_that_are_not_annotated_are_left_out_of_joined_ones_as_well():
    report = stress_model(Reader(), lambda: [doc(), Document("Bà Hòa"), doc()], perturbations(["joined"]))
    assert report.clean.unannotated == 1
    (joined,) = report.outcomes
    assert (joined.documents, joined.scores.micro.correct, joined.changed) == (1, 2, 1)


@pytest.mark.parametrize(("count", "changed"), [(1, 0), (2, 1), (20, 1), (21, 1), (40, 2), (41, 2), (42, 3)])
def test_a_document_that_is_left_over_when_others_are_joined_is_not_changed(count, changed):
    documents = [doc(f"Bà Hòa về{'.' * (number + 1)}") for number in range(count)]
    (joined,) = stress_model(Reader(), lambda: iter(documents), perturbations(["joined"])).outcomes
    assert joined.changed == changed


def test_classes_of_words_that_are_others_now_are_left_out():
    gold = Document("38t ở Huế", entities=[Entity(6, 9, "PERSON")], tags={"pos": ["M", "N", "E", "N"]})
    same = gold.with_(text="ba t ở Huế")
    (upper,) = perturbations(["upper"])
    changed, kept = upper.stream(lambda: [gold, same], 1)
    assert [len(split_words(document.text)) for document in (gold, changed, same, kept)] == [4, 3, 4, 4]
    assert (changed.tags, kept.tags) == (None, gold.tags)


def test_documents_are_read_one_after_the_other():
    """Memory stays constant: no more documents are held than are joined, plus those that a recognizer reads ahead."""
    alive = most = 0

    class Counted(str):
        def __del__(self):
            nonlocal alive
            alive -= 1

    def source():
        nonlocal alive, most
        for _ in range(400):
            alive += 1
            most = max(most, alive)
            yield Document(Counted("Bà Hòa về."), entities=[Entity(3, 6, "PERSON")])

    stress_model(Reader(), source)
    assert most < 60


def test_the_table_has_the_clean_figure_first_and_json_has_all(tiny_model):
    text = "Lan và Minh ở Hà Nội."
    entities = [Entity(0, 3, "PERSON"), Entity(7, 11, "PERSON"), Entity(14, 20, "LOCATION")]
    told: list[str] = []
    found = lambda: [Document(text, entities=entities)] * 3  # noqa: E731
    report = stress_model(Recognizer.load(tiny_model), found, tell=told.append)
    names = [perturbation.name for perturbation in PERTURBATIONS]
    assert told == names
    rows = [line for line in report.to_markdown().splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["**none**", *names]
    data = json.loads(json.dumps(report.to_dict()))
    assert data["micro"]["f1"] == 1
    assert [entry["name"] for entry in data["stress"]] == names
    by_name = {entry["name"]: entry for entry in data["stress"]}
    assert by_name["nfd"]["points_lost"] == by_name["tone-style"]["points_lost"] == 0, "views of the model undo them"
    assert by_name["no-diacritics"]["points_lost"] > 0
    assert all(entry["truncated_entities"] == 0 for entry in data["stress"])


def test_nothing_to_score_against_names_the_file():
    with pytest.raises(InputError) as error:
        stress_model(Reader(), lambda: [Document("x", entities=[])], where="x.conll")
    assert error.value.where == "x.conll"
