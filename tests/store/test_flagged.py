"""Flagged answers come in as suggestions to review, whatever is in them, and never as gold."""

from __future__ import annotations

import pytest

from viner.corpus import FEEDBACK, Flag
from viner.document import Document, Entity
from viner.errors import InputError
from viner.store import Filter
from viner.store.values import LONGEST_COMMENT

TEXT = "Lan ra Huế"
AT = "2026-03-01T08:30:00.123Z"


def flagged(number, text=TEXT, *, suggestions=None, **said):
    receipt = f"{number:032x}"
    if suggestions is None:
        suggestions = [Entity(0, 3, "PERSON", score=0.6, source="model")]
    flag = Flag(receipt, AT, **said)
    return Document(text, id=f"flagged-{receipt}", meta={FEEDBACK: flag.to_meta()}, suggestions=suggestions)


def withdrawn(number):
    receipt = f"{number:032x}"
    return Document("", id=f"flagged-{receipt}", meta={FEEDBACK: Flag(receipt, AT, erased=True).to_meta()})


def add(store, *documents, **options):
    return store.add(documents, who="import", **options)


def test_it_is_to_do_flagged_in_train_with_suggestions_and_a_comment(store):
    report = add(store, *(flagged(n, f"{TEXT} {n}", comment="Huế!", wrong=((0, 3),)) for n in range(30)))
    assert (report.added, report.suggestions, report.entities) == (30, 30, 0)
    assert report.splits == {"train": 30}
    document = store.get(flagged(7).id)
    assert (document.status, document.flagged, document.split) == ("todo", True, "train")
    assert [(entity.state, entity.source, entity.score) for entity in document.entities] == [("suggested", "model", 0.6)]
    (comment,) = document.comments
    assert (comment.text, comment.who, comment.at, comment.entity) == ("Huế!\n✗ Lan (PERSON)", "visitor", AT, None)
    counts = store.counts()
    assert (counts.flagged, counts.comments, counts.status("todo")) == (30, 30, 30)
    assert len(store.find(Filter(flagged=True, commented=True)).rows) == 30


def test_nothing_said_makes_no_comment(store):
    add(store, flagged(1))
    assert store.get(flagged(1).id).comments == ()
    assert store.counts().comments == 0


def test_a_split_may_be_named_and_a_text_that_is_there_keeps_its_own(store):
    add(store, flagged(1), split="dev")
    assert store.get(flagged(1).id).split == "dev"
    add(store, Document("một bài", id="t"), split="test")
    add(store, flagged(2, "một bài", suggestions=[]))
    assert store.get(flagged(2).id).split == "test"


def test_imported_again_what_is_there_is_passed_over_and_keeps_what_people_did(store):
    add(store, flagged(1, comment="một"))
    before = store.get(flagged(1).id)
    report = add(store, flagged(1, comment="hai"), flagged(2, comment="ba"))
    assert (report.added, report.skipped) == (1, 1)
    assert store.get(flagged(1).id) == before
    with pytest.raises(InputError, match="in the project already"):
        add(store, Document("khác", id=flagged(1).id))


def test_what_its_sender_erased_does_not_come_in_and_is_named_where_it_is_there(store):
    add(store, flagged(1))
    report = add(store, withdrawn(1), withdrawn(2))
    assert (report.added, report.skipped) == (0, 0)
    assert report.withdrawn == (flagged(1).id,)
    assert report.to_dict()["withdrawn"] == [flagged(1).id]
    assert store.get(flagged(1).id).text == TEXT
    store.erase([flagged(1).id], who="local")
    assert add(store, withdrawn(1)).withdrawn == ()
    assert (store.counts().flagged, store.counts().comments) == (0, 0)


def test_a_suggestion_that_nobody_could_accept_keeps_nothing_out(store):
    text = "a" + "\u0301" * 70 + " Huế"
    inside = [Entity(0, 64, "PERSON", source="model"), Entity(72, 75, "LOCATION", source="model")]
    report = add(store, flagged(1, text, suggestions=inside), flagged(2))
    assert (report.added, report.suggestions) == (2, 2)
    assert [entity.label for entity in store.get(flagged(1).id).entities] == ["LOCATION"]


def test_a_label_that_the_project_does_not_have_is_told_or_added(store):
    foreign = flagged(1, suggestions=[Entity(0, 3, "JOB", source="model")])
    with pytest.raises(InputError, match="no entity label 'JOB'"):
        add(store, foreign)
    assert add(store, foreign, new_labels="add").labels == ("JOB",)


def test_a_remark_longer_than_comments_are_is_cut(store):
    names = [Entity(n, n + 60, "PERSON") for n in range(0, 20_000, 60)]
    add(store, flagged(1, "a" * 20_100, suggestions=names, wrong=tuple((e.start, e.end) for e in names)))
    assert len(store.get(flagged(1).id).comments[0].text) == LONGEST_COMMENT


def test_a_spoiled_flag_is_told(store):
    with pytest.raises(InputError) as caught:
        add(store, Document("a", id="x", meta={FEEDBACK: {"receipt": "r", "at": 5}}))
    assert caught.value.where == f"x: meta.{FEEDBACK}.at"


def test_annotated_and_exported_it_is_gold_like_any_other(store, tmp_path):
    exported = Document(TEXT, id="flagged-1", meta=flagged(1).meta, entities=[Entity(0, 3, "PERSON")])
    add(store, exported)
    document = store.get("flagged-1")
    assert (document.status, document.flagged, document.split, document.comments) == ("done", False, "train", ())
