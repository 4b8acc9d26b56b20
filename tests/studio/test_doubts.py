"""Doubts that a project keeps, against what is annotated now."""

from __future__ import annotations

import dataclasses
import json
import uuid
from pathlib import Path

import pytest

from support.pretend_studio import make_project
from support.traces import files_with
from viner.annotation import changes
from viner.document import Document, Entity
from viner.errors import InputError
from viner.evaluation.doubts import Doubt
from viner.evaluation.errors import Pair
from viner.evaluation.excerpts import Excerpts
from viner.project import Project
from viner.store import Store
from viner.studio import Studio
from viner.studio.doubts import (
    doubt_key,
    doubting,
    doubts_file,
    open_doubts,
    put_aside,
    take_back,
    without_aside,
    write_doubts,
)
from viner.studio.run_records import RunError

TEXT = "Lan ở Huế. Minh về Vinh."
LAN, HUE, VINH = Entity(0, 3, "LOCATION"), Entity(6, 9, "LOCATION"), Entity(19, 23, "LOCATION")
MINH = Entity(11, 15, "PERSON", score=0.97)


def new_id() -> str:
    return str(uuid.uuid4())


def doubt(document: Document, gold: Entity | None, predicted: Entity | None, confidence: float = 0.9) -> Doubt:
    answer = document.with_(entities=[predicted] if predicted else [], words=[(0, 3)])
    pair = Pair(gold, predicted)
    return Doubt(pair, Excerpts(document, answer, 1).cut(pair.start, pair.end), confidence, {"PERSON": 3})


@pytest.fixture
def document() -> Document:
    return Document(TEXT, id="a/1", entities=[LAN, HUE, VINH])


@pytest.fixture
def project(tmp_path: Path, document: Document) -> Project:
    """A project with a document that is doubted in three places, the last of which lacks an entity."""
    made = make_project(tmp_path / "project")
    with Store.of_project(made) as store:
        store.add([document, Document("Nam", id="b", entities=[])], who="import", split="train")
    person = dataclasses.replace(LAN, label="PERSON", score=0.99)
    doubts = [doubt(document, LAN, person), doubt(document, HUE, None, 0.8), doubt(document, None, MINH, 0.7)]
    keep(made, *doubts)
    return made


def keep(project: Project, *doubts: Doubt) -> None:
    with Store.of_project(project) as store:
        write_doubts(project, doubts, store.schema()[1])


def opened(project: Project):
    with Store.of_project(project) as store:
        return open_doubts(project, store)


def test_nothing_was_looked_for(tmp_path: Path) -> None:
    assert opened(make_project(tmp_path / "new")) is None


def test_what_was_written_comes_back_in_context_and_holds_no_text(project: Project) -> None:
    found = opened(project)
    assert found is not None
    assert [(item.pair.labels, item.confidence, item.elsewhere) for item in found.doubts] == [
        (("LOCATION", "PERSON"), 0.9, {"PERSON": 3}),
        (("LOCATION", None), 0.8, {"PERSON": 3}),
        ((None, "PERSON"), 0.7, {"PERSON": 3}),
    ]
    assert found.doubts[0].excerpt.text == TEXT
    assert [item.excerpt.document for item in found.doubts] == ["a/1"] * 3
    assert [item.pair.predicted.text for item in found.doubts if item.pair.predicted] == ["Lan", "Minh"]
    assert found.found == 3
    kept = doubts_file(project).read_text(encoding="utf-8")
    assert "Lan" not in kept
    assert "Minh" not in kept


@pytest.mark.parametrize(
    ("entities", "left"),
    [
        ([LAN, HUE, VINH], [0, 1, 2]),
        ([dataclasses.replace(LAN, label="PERSON"), HUE, VINH], [1, 2]),
        ([LAN, VINH], [0, 2]),
        ([LAN, HUE, VINH, dataclasses.replace(MINH, score=None)], [0, 1]),
        ([LAN, HUE, VINH, Entity(11, 18, "PERSON")], [0, 1]),
        ([], [2]),
    ],
)
def test_a_doubt_is_settled_by_another_annotation(project: Project, entities: list[Entity], left: list[int]) -> None:
    kept = [item.pair for item in opened(project).doubts]
    with Store.of_project(project) as store:
        store.erase(["a/1"], who="lan")
        store.add([Document(TEXT, id="a/1", entities=entities)], who="import", split="train")
    found = opened(project)
    assert [item.pair for item in found.doubts] == [kept[place] for place in left]
    assert found.found == 3


def test_a_renamed_label_settles_nothing_and_a_deleted_one_all(project: Project) -> None:
    with Store.of_project(project) as store:
        changes.apply(store, changes.Rename(label="LOCATION", to="PLACE"), operation=new_id(), who="lan")
    found = opened(project)
    assert [item.pair.labels for item in found.doubts] == [("PLACE", "PERSON"), ("PLACE", None), (None, "PERSON")]
    with Store.of_project(project) as store:
        changes.apply(store, changes.Delete(label="PLACE"), operation=new_id(), who="lan")
    assert [item.pair.labels for item in opened(project).doubts] == [(None, "PERSON")]


def test_what_was_annotated_beside_it_from_the_start_settles_nothing(project: Project, document: Document) -> None:
    """An answer without a partner can overlap an entity that is paired with another answer."""
    inside = Entity(19, 21, "PERSON", score=0.9)
    keep(project, doubt(document, None, inside))
    assert [item.pair.predicted for item in opened(project).doubts] == [inside]


def test_only_the_first_come_with_their_text(project: Project) -> None:
    with Store.of_project(project) as store:
        found = open_doubts(project, store, most=1)
    assert (len(found.doubts), found.open, found.found) == (1, 3, 3)


def put(project: Project, *places: int) -> list[Doubt]:
    """Puts doubts aside by their place in the list, and gives the list as it was."""
    before = list(opened(project).doubts)
    with Store.of_project(project) as store:
        for place in places:
            assert put_aside(project, store, doubt_key(before[place]))
    return before


def test_what_is_right_is_put_aside_and_taken_back(project: Project) -> None:
    before = put(project, 0, 2)
    found = opened(project)
    assert [item.pair for item in found.doubts] == [before[1].pair]
    assert (found.open, found.found) == (1, 3)
    assert [item.pair for item in found.aside] == [before[2].pair, before[0].pair]
    assert found.aside[1].excerpt.text == TEXT
    with Store.of_project(project) as store:
        assert take_back(project, store, doubt_key(found.aside[1]))
        assert not take_back(project, store, doubt_key(found.aside[1]))
    assert [item.pair for item in opened(project).doubts] == [before[0].pair, before[1].pair]
    assert [item.pair for item in opened(project).aside] == [before[2].pair]


def test_what_the_list_does_not_hold_cannot_be_put_aside(project: Project) -> None:
    before = put(project, 1)
    with Store.of_project(project) as store:
        assert not put_aside(project, store, doubt_key(before[1]))  # another person was faster
        assert not put_aside(project, store, "0" * 16)
    assert len(opened(project).aside) == 1


def test_later_searches_respect_what_is_right_whatever_they_say_instead(project: Project, document: Document) -> None:
    before = put(project, 0, 2)
    other, place = dataclasses.replace(LAN, end=5), dataclasses.replace(MINH, label="LOCATION")
    again = [doubt(document, LAN, other), doubt(document, HUE, None), doubt(document, None, place)]
    keep(project, *again)
    assert [item.pair for item in opened(project).doubts] == [before[1].pair]
    with Store.of_project(project) as store:
        version = store.schema()[1]
        assert without_aside(project, store, again, version) == [again[1]]
        changes.apply(store, changes.Rename(label="LOCATION", to="PLACE"), operation=new_id(), who="lan")
        assert without_aside(project, store, again, version) == [again[1]]


def test_a_renamed_label_leaves_what_is_right_aside_and_a_changed_annotation_is_doubted_anew(project: Project) -> None:
    put(project, 0)
    with Store.of_project(project) as store:
        changes.apply(store, changes.Rename(label="LOCATION", to="PLACE"), operation=new_id(), who="lan")
    assert [item.pair.labels for item in opened(project).doubts] == [("PLACE", None), (None, "PERSON")]
    person = dataclasses.replace(LAN, label="PERSON")
    with Store.of_project(project) as store:
        store.erase(["a/1"], who="lan")
        store.add([Document(TEXT, id="a/1", entities=[person])], who="import", split="train")
    assert opened(project).aside == ()
    keep(project, doubt(Document(TEXT, id="a/1", entities=[person]), person, None))
    assert [item.pair.labels for item in opened(project).doubts] == [("PERSON", None)]


def test_what_is_right_stays_right_when_the_label_of_the_answer_goes(project: Project) -> None:
    put(project, 0, 2)
    with Store.of_project(project) as store:
        changes.apply(store, changes.Delete(label="PERSON"), operation=new_id(), who="lan")
    assert len(opened(project).aside) == 2
    keep(project, doubt(Document(TEXT, id="a/1", entities=[LAN, HUE, VINH]), LAN, None))
    assert opened(project).doubts == ()


def test_where_nothing_is_missing_nothing_that_overlaps_is(project: Project, document: Document) -> None:
    put(project, 2)
    wider, elsewhere = dataclasses.replace(MINH, end=18), Entity(4, 5, "PERSON", score=0.9)
    bare = document.with_(entities=[])
    keep(project, doubt(bare, None, wider), doubt(bare, None, elsewhere))
    assert [item.pair.predicted.start for item in opened(project).doubts if item.pair.predicted] == [4]


def test_a_change_that_is_taken_back_finds_what_was_put_aside_where_it_was(project: Project) -> None:
    put(project, 0)

    def annotate(*entities: Entity) -> None:
        with Store.of_project(project) as store:
            store.erase(["a/1"], who="lan")
            store.add([Document(TEXT, id="a/1", entities=entities)], who="import", split="train")

    annotate(HUE, VINH)
    put(project, 0)  # another one meanwhile
    annotate(LAN, HUE, VINH)
    assert [item.pair.labels for item in opened(project).doubts] == [(None, "PERSON")]
    assert opened(project).put == 2


def test_what_an_earlier_search_found_comes_back_into_the_list(project: Project, document: Document) -> None:
    before = put(project, 0)
    keep(project, doubt(document, HUE, None, 0.8))
    with Store.of_project(project) as store:
        assert take_back(project, store, doubt_key(before[0]))
    assert {item.pair for item in opened(project).doubts} == {before[0].pair, before[1].pair}
    assert opened(project).put == 0


def test_labels_that_become_one_leave_one_doubt(project: Project, document: Document) -> None:
    person = dataclasses.replace(LAN, label="PERSON")
    keep(project, doubt(document, LAN, None), doubt(document, person, None))
    with Store.of_project(project) as store:
        changes.apply(store, changes.Merge(labels=("PERSON", "LOCATION"), into="LOCATION"), operation=new_id(), who="lan")
    assert [item.pair.labels for item in opened(project).doubts] == [("LOCATION", None)]


def test_all_that_were_put_aside_are_counted(project: Project) -> None:
    put(project, 0, 1, 2)
    with Store.of_project(project) as store:
        found = open_doubts(project, store, most=2)
    assert (len(found.aside), found.put) == (2, 3)


def test_nothing_is_put_aside_where_the_list_is_gone(project: Project) -> None:
    key = doubt_key(opened(project).doubts[0])
    doubts_file(project).unlink()
    with Store.of_project(project) as store:
        assert not put_aside(project, store, key)


def test_what_was_put_aside_holds_no_text_and_is_erased_with_its_document(project: Project) -> None:
    put(project, 0)
    kept = project.path / "runs" / "doubts_aside.json"
    assert "Lan" not in kept.read_text(encoding="utf-8")
    assert '"a/1"' in kept.read_text(encoding="utf-8")
    with Studio.open(project.path, follow=False) as studio:
        studio.erase(["a/1"], who="lan")
    assert '"a/1"' not in kept.read_text(encoding="utf-8")


def test_a_file_of_what_was_put_aside_that_says_something_else_is_told(project: Project) -> None:
    kept = project.path / "runs" / "doubts_aside.json"
    kept.write_text('{"doubts": [{"document": "a/1"}]}', encoding="utf-8")
    with pytest.raises(InputError, match="no doubts of viner") as caught:
        opened(project)
    assert str(caught.value.where) == str(kept)
    with Studio.open(project.path, follow=False) as studio:
        studio.erase(["a/1"], who="lan")
    assert opened(project).aside == ()


def test_doubts_about_erased_documents_are_gone_from_the_file(project: Project) -> None:
    other = Document("Nam", id="b", entities=[])
    file = doubts_file(project)
    keep(project, *opened(project).doubts, doubt(other, None, Entity(0, 3, "PERSON", score=0.9)))
    before = opened(project)
    with Studio.open(project.path, follow=False) as studio:
        studio.erase(["a/1"], who="lan")
    assert '"a/1"' not in file.read_text(encoding="utf-8")
    found = opened(project)
    assert [item.excerpt.document for item in found.doubts] == ["b"]
    assert (found.found, found.when) == (1, before.when)


def test_copies_of_a_search_that_was_killed_are_erased_too(project: Project) -> None:
    with doubting(project) as work:
        (work / "0123456789abcdef" / "1").mkdir(parents=True)
        (work / "0123456789abcdef" / "1" / "train.jsonl").write_text(TEXT, encoding="utf-8")
    with Studio.open(project.path, follow=False) as studio:
        studio.erase(["a/1"], who="lan")
    assert files_with(project.path, TEXT) == []


def test_nobody_erases_while_doubts_are_looked_for(project: Project) -> None:
    with doubting(project), Studio.open(project.path, follow=False) as studio:
        with pytest.raises(RunError, match="viner doubts is at work"):
            studio.erase(["a/1"], who="lan")
        with pytest.raises(RunError, match="already"), doubting(project):
            pass
        assert studio.store.get("a/1").text == TEXT
    assert opened(project).found == 3


def test_a_document_that_is_there_no_longer_is_passed_over(project: Project) -> None:
    with Store.of_project(project) as store:
        store.erase(["a/1"], who="lan")
    assert opened(project).doubts == ()


GOOD = {"document": "a/1", "gold": LAN.to_dict(), "predicted": None, "confidence": 1, "elsewhere": {}, "beside": []}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"found": "2026-03-09T10:00:00+00:00", "schema": 1}',
        *(
            json.dumps({"found": "2026-03-09T10:00:00+00:00", "schema": 1, "doubts": [{**GOOD, **wrong}]})
            for wrong in (
                {"gold": None},
                {"gold": {"start": 0, "end": 99, "label": "X"}},
                {"gold": "LAN"},
                {"confidence": "sure"},
                {"elsewhere": None},
            )
        ),
        json.dumps({"found": "yesterday", "schema": 1, "doubts": []}),
    ],
)
def test_another_file_is_told_and_goes_when_something_is_erased(project: Project, content: str) -> None:
    doubts_file(project).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="no doubts of viner") as caught:
        opened(project)
    assert str(caught.value.where).endswith("doubts.json")
    with Studio.open(project.path, follow=False) as studio:
        studio.erase(["a/1"], who="lan")
    if doubts_file(project).exists():
        assert '"a/1"' not in doubts_file(project).read_text(encoding="utf-8")
