from __future__ import annotations

import re
import unicodedata

import pytest

from viner.annotation.changes import Add, Delete, Describe, Merge, Preview, Rename, Sample, Split, Surface
from viner.console.frame import PageError
from viner.console.labels_view import hex_color, labels_view, preview_view, split_parts
from viner.console.messages import Messages
from viner.schema import Layer, Schema, Type
from viner.store import SPLITS, STATES, STATUSES, Counts

EN = Messages("en")
SCHEMA = Schema((Layer("entities", "entities", (Type("PERSON", "Names", key="p"), Type("PLACE"))),))
NONE = Counts({split: dict.fromkeys(STATUSES, 0) for split in SPLITS}, {})


def preview(change, entities: int = 0, done: int = 0, **more) -> Preview:
    documents = {split: dict.fromkeys(STATUSES, 0) for split in SPLITS}
    documents["train"].update(done=done, todo=2 if entities else 0)
    return Preview(change, SCHEMA, 3, {**dict.fromkeys(STATES, 0), "accepted": entities}, documents, **more)


def test_each_label_has_its_color_description_key_and_counts() -> None:
    counts = Counts(NONE.splits, {"PLACE": {"accepted": 1234, "suggested": 5, "rejected": 6}})
    view = labels_view(SCHEMA, counts, EN)
    assert "type t0" in view
    assert "type t1" in view
    assert "Names" in view
    assert "<kbd>p</kbd>" in view
    assert "1,234" in view


def test_a_schema_without_labels_says_what_to_do() -> None:
    assert EN("labels_none") in labels_view(Schema(()), NONE, EN)


def test_hostile_descriptions_and_samples_are_escaped() -> None:
    evil = "<script>1</script>"
    schema = Schema((Layer("entities", "entities", (Type(evil, evil),)),))
    sample = Sample(evil, evil, evil, evil, "PERSON", None, "accepted", None)
    shown = labels_view(schema, NONE, EN) + preview_view(preview(Delete(label="PERSON"), 1, samples=(sample,)), 0, (), EN)
    assert "<script" not in shown


def test_deleting_is_a_warning_with_figures_and_examples() -> None:
    sample = Sample("n-1", "Cô ", "Lan", " ở Huế", "PERSON", None, "accepted", None)
    view = preview_view(preview(Delete(label="PERSON"), 7, done=3, samples=(sample,)), 9, (), EN)
    assert "viner-notice bad" in view
    assert "5 documents and 7 entities change" in view
    assert EN("change_lost", count=3) in view
    assert "<mark>Lan</mark>" in view
    assert EN("goes") in view


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (Rename(label="PERSON", to="NAME"), "change_rules_follow"),
        (Merge(labels=("PERSON",), into="PLACE"), "change_rules_follow"),
        (Delete(label="PERSON"), "change_rules_left"),
        (Split(label="PERSON", into=("PATIENT", "DOCTOR")), "change_rules_left"),
        (Split(label="PERSON", into=("PERSON", "DOCTOR")), None),
        (Describe(label="PERSON", description="Names"), None),
        (Delete(label="PERSON", layer="topic"), None),
    ],
)
def test_rules_that_follow_or_are_left_are_counted(change, key) -> None:
    view = preview_view(preview(change), 0, ["PLACE", "PERSON", "PERSON", "unheard"], EN)
    keys = ["change_rules_follow", "change_rules_left"]
    assert [name for name in keys if EN(name, count=2) in view] == ([key] if key else [])
    assert [name for name in keys if EN(name, count=1) in view] == []


def test_merging_tells_what_collapses() -> None:
    view = preview_view(preview(Merge(labels=("PERSON",), into="PLACE"), 7, collapsed=2), 0, (), EN)
    assert EN("change_collapsed", count=2) in view


def test_splitting_lists_texts_with_where_they_go() -> None:
    surfaces = (Surface("Lan", 5, 1, 0, "NAME"), Surface("bà", 2, 0, 0, None))
    change = Split(label="PERSON", into=("PERSON", "NAME"), assign={"Lan": "NAME"})
    view = preview_view(preview(change, 8, review=2, reopened=1, surfaces=surfaces, hidden_surfaces=40), 0, (), EN)
    assert EN("change_review", count=2) in view
    assert EN("change_reopened", count=1) in view
    assert EN("to_review") in view
    assert EN("surfaces_more", count=40) in view


def test_a_form_splits_a_label_into_several() -> None:
    rows = [("CITY", "Huế\n\n Đà Nẵng, quận 1 "), ("", " \n"), ("LAND", "Lào"), ("REST", "")]
    parts = split_parts("PLACE", rows, EN)
    assert parts["into"] == ["PLACE", "CITY", "LAND", "REST"]
    assert parts["assign"] == {"Huế": "CITY", "Đà Nẵng, quận 1": "CITY", "Lào": "LAND"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("", ""), ("", "")], "Fill in: New label 1"),
        ([("", "Huế")], "Fill in: New label 1"),
        ([("CITY", ""), ("", "Huế")], "Fill in: New label 2"),
        ([("CITY", "Huế"), ("CITY", "Lào")], "The label “CITY” is there twice."),
        ([("PLACE", "Huế")], "The label “PLACE” is there twice."),
        ([("CITY", "Huế\nHuế"), ("LAND", unicodedata.normalize("NFD", "Huế"))], "is to move to “CITY” and to “LAND”."),
    ],
)
def test_a_form_that_says_two_things_at_once_is_refused(rows: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(PageError, match=re.escape(said)):
        split_parts("PLACE", rows, EN)


def test_a_new_label_reminds_of_the_documents_that_are_done_without_it() -> None:
    assert EN("change_unseen", count=12) in preview_view(preview(Add(label="AGE")), 12, (), EN)
    assert EN("change_nothing") in preview_view(preview(Add(label="AGE")), 0, (), EN)


@pytest.mark.parametrize(
    ("value", "color"),
    [
        ("#A1b2C3", "#a1b2c3"),
        ("#abc", "#aabbcc"),
        ("#aabbccff", "#aabbcc"),
        ("rgba(255, 0, 15.6, 1)", "#ff0010"),
        ("", None),
        (None, None),
        ("red", "red"),
        ("rgb(x)", "rgb(x)"),
    ],
)
def test_colors_of_the_picker_become_hexadecimal(value: str | None, color: str | None) -> None:
    assert hex_color(value) == color
