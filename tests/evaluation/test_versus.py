from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from viner.document import Document, Entity
from viner.evaluation.versus import Versus, compare_models
from viner.text import split_words

TEXT = "Lan ở Huế. Minh về Nam Định."


def doc(*entities: tuple[str, str], text: str = TEXT) -> Document:
    made = [Entity(text.index(surface), text.index(surface) + len(surface), label) for surface, label in entities]
    return Document(text, id="a", entities=made, words=split_words(text))


GOLD = doc(("Lan", "PER"), ("Huế", "LOC"), ("Minh", "PER"), ("Nam Định", "LOC"))


def versus(first: Document, second: Document, gold: Document = GOLD) -> Versus:
    found = Versus()
    found.observe(gold, first, second)
    return found


def test_an_entity_that_only_the_second_finds_is_repaired_and_one_that_only_the_first_finds_is_broken():
    found = versus(doc(("Lan", "PER"), ("Huế", "ORG")), doc(("Huế", "LOC")))
    assert (found.repaired, found.broken) == (1, 1)
    assert found.by_label == {"LOC": {"repaired": 1}, "PER": {"broken": 1}}


def test_what_is_made_up_is_repaired_where_it_goes_and_broken_where_it_comes():
    assert versus(doc(("ở", "LOC")), doc()).repaired == 1
    assert versus(doc(), doc(("ở", "LOC"))).broken == 1


def test_equal_answers_do_not_differ_however_wrong():
    answer = doc(("Lan", "LOC"), ("ở", "LOC"))
    found = versus(answer, answer)
    assert (found.repaired, found.broken) == (0, 0)
    assert not any(found.sentences(outcome) for outcome in ("repaired", "broken", "mixed", "other"))


def test_sentences_are_sorted_by_what_happens_in_them():
    first = doc(("Huế", "LOC"), ("Nam Định", "LOC"))
    second = doc(("Lan", "PER"), ("Huế", "LOC"), ("Minh", "PER"), ("Nam", "LOC"))
    found = versus(first, second)
    (repaired,), (mixed,) = found.cases("repaired"), found.cases("mixed")
    assert [TEXT[start:end] for start, end in repaired.differing] == ["Lan"]
    assert [TEXT[start:end] for start, end in mixed.differing] == ["Minh", "Nam Định"]
    assert found.cases("broken") == []


def test_an_error_that_becomes_another_one_is_neither_repaired_nor_broken():
    found = versus(doc(("Lan", "LOC")), doc(("Lan", "ORG")))
    assert (found.repaired, found.broken, found.sentences("other")) == (0, 0, 1)


def test_both_answers_are_shown_on_the_same_text():
    (case,) = versus(doc(), doc(("Huế", "LOC"))).cases("repaired")
    assert case.first.text == case.second.text
    assert (len(case.first.predicted), len(case.second.predicted)) == (0, 1)


def test_scores_and_chance_are_those_of_all_documents():
    found = Versus()
    for _ in range(40):
        found.observe(GOLD, doc(("Lan", "PER")), GOLD)
    comparison = found.comparison("old", "new")
    assert (comparison.a, comparison.documents) == ("old", 40)
    assert (comparison.overall[0].recall, comparison.overall[1].f1) == (0.25, 1.0)
    assert comparison.p_value == pytest.approx(1 / 2001)
    assert found.to_dict()["overall"]["b"] == 1.0
    assert "new instead of old: F1 0.4000 → 1.0000, 120 repaired, 0 broken (p = 0.0005)" in found.summary("old", "new")


class Finder:
    """Finds one word, and answers in chunks of its own size."""

    labels = ("LOC",)

    def __init__(self, word: str, chunk: int) -> None:
        self._word, self._chunk = word, chunk

    def stream(self, documents: Iterable[Document], *, unanswered: object = None) -> Iterator[Document]:
        waiting: list[Document] = []
        for document in documents:
            assert document.entities is None
            waiting.append(document)
            if len(waiting) == self._chunk:
                yield from map(self._answer, waiting)
                waiting.clear()
        yield from map(self._answer, waiting)

    def _answer(self, document: Document) -> Document:
        at = document.text.find(self._word)
        found = [Entity(at, at + len(self._word), "LOC")] if at >= 0 else []
        return document.with_(entities=found, words=split_words(document.text))


@pytest.mark.parametrize(("one", "other"), [(1, 7), (7, 1), (3, 3)])
def test_two_recognizers_are_compared_in_one_pass_however_they_read_ahead(one, other):
    texts = ["ra Huế", "về Nam", "Huế và Nam", "nghỉ"] * 5
    documents = [Document("chưa gán nhãn"), *(doc(*((w, "LOC") for w in ("Huế", "Nam") if w in t), text=t) for t in texts)]
    seen = []
    evaluation, found = compare_models(
        Finder("Huế", one), Finder("Nam", other), iter(documents), observe=lambda gold, answer: seen.append(gold.text)
    )
    assert seen == texts
    assert (evaluation.documents, evaluation.unannotated, found.documents) == (20, 1, 20)
    assert (found.repaired, found.broken) == (10, 10)
