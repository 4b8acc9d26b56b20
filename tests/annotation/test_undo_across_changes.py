"""Undoing and restoring what is older than a change of the schema."""

import uuid
from dataclasses import replace

import pytest

from support.stores import operation
from viner.annotation.changes import Add, Delete, Merge, Rename, Split, apply
from viner.annotation.label_map import followers_since
from viner.document import Document
from viner.store import Comment, ConflictError, RefusedError, StoredEntity

TEXT = "Bà Lan ở Hà Nội gặp bà Lan."
LAN = StoredEntity("e1", 3, 6, "PERSON")
HANOI = StoredEntity("e2", 9, 15, "LOCATION")


@pytest.fixture
def notice(store):
    store.add([Document(TEXT, id="notice")], who="import", split="train")
    return store


def save(store, *entities, **changes):
    """Saves a step on the notice as it is now; returns its id."""
    sent = operation("notice", store.get("notice").version, *entities, text=TEXT, schema=store.schema()[1], **changes)
    store.save(sent, who="mai")
    return sent.operation


def change(store, *made):
    """Changes the schema; returns the id of the last change."""
    for item in made:
        name = uuid.uuid4().hex
        apply(store, item, operation=name, who="lan")
    return name


def undo(store, name):
    new = uuid.uuid4().hex
    store.undo(name, new_id=new, who="tom", labels_since=followers_since)
    return new


def restore(store, version):
    store.restore("notice", version, operation=uuid.uuid4().hex, who="tom", labels_since=followers_since)


RENAMES = [
    ([Rename(label="PERSON", to="NAME")], "NAME"),
    ([Rename(label="PERSON", to="NAME"), Rename(label="NAME", to="HUMAN"), Add(label="PERSON")], "HUMAN"),
    ([Merge(labels=("PERSON", "DATE"), into="THING"), Rename(label="THING", to="ITEM")], "ITEM"),
    ([Merge(labels=("PERSON",), into="DATE")], "DATE"),
]


@pytest.mark.parametrize(("changes", "label"), RENAMES)
def test_what_was_deleted_comes_back_under_the_label_of_today(notice, changes, label):
    save(notice, LAN, HANOI)
    deleted = save(notice, delete=("e1",))
    change(notice, *changes)
    back = undo(notice, deleted)
    assert notice.get("notice").entities == (replace(LAN, label=label), HANOI)
    undo(notice, back)
    assert notice.get("notice").entities == (HANOI,)
    restore(notice, 2)
    assert notice.get("notice").entities == (replace(LAN, label=label), HANOI)
    counted = {name: states["accepted"] for name, states in notice.counts().labels.items() if states["accepted"]}
    assert counted == {label: 1, "LOCATION": 1}


@pytest.mark.parametrize(("changes", "label"), RENAMES)
def test_what_was_given_before_a_rename_can_be_taken_away(notice, changes, label):
    given = save(notice, LAN)
    moved = save(notice, replace(LAN, start=0))
    change(notice, *changes)
    undo(notice, moved)
    assert notice.get("notice").entities == (replace(LAN, label=label),)
    undo(notice, given)
    assert notice.get("notice").entities == ()


def test_without_a_map_of_labels_nothing_is_followed(notice):
    save(notice, LAN)
    deleted = save(notice, delete=("e1",))
    change(notice, Rename(label="PERSON", to="NAME"))
    with pytest.raises(RefusedError, match="no longer has the label 'PERSON'"):
        notice.undo(deleted, new_id="u", who="tom")
    with pytest.raises(RefusedError, match="no longer has the label 'PERSON'"):
        notice.restore("notice", 2, operation="r", who="tom")


def test_a_deleted_label_is_refused_by_name(notice):
    save(notice, LAN)
    deleted = save(notice, HANOI, delete=("e1",))
    gone = change(notice, Rename(label="PERSON", to="NAME"), Delete(label="NAME"))
    for act in (lambda: undo(notice, deleted), lambda: restore(notice, 2)):
        with pytest.raises(RefusedError, match="no label follows 'PERSON': it was deleted") as caught:
            act()
        assert (caught.value.where, caught.value.hint) == (
            "notice",
            "Undo that change of the schema first, or annotate the document anew",
        )
    assert notice.get("notice").entities == (HANOI,)
    undo(notice, gone)
    undo(notice, deleted)
    assert notice.get("notice").entities == (replace(LAN, label="NAME"),)


def test_a_deleted_label_that_is_there_anew_is_another_one(notice):
    save(notice, LAN)
    deleted = save(notice, delete=("e1",))
    change(notice, Delete(label="PERSON"), Add(label="PERSON"))
    with pytest.raises(RefusedError, match="no label follows 'PERSON': it was deleted"):
        undo(notice, deleted)


def test_a_change_of_the_schema_that_was_taken_back_changes_nothing(notice):
    save(notice, LAN)
    deleted = save(notice, delete=("e1",))
    for item in (Split(label="PERSON", into=("WOMAN", "MAN")), Merge(labels=("DATE",), into="PERSON"), Delete(label="PERSON")):
        undo(notice, change(notice, item))
    undo(notice, deleted)
    assert notice.get("notice").entities == (LAN,)


SPLIT = Split(label="PERSON", into=("WOMAN", "MAN"), assign={"Lan": "WOMAN"})


def test_a_split_is_followed_where_the_entity_itself_went_through_it(notice):
    accepted = save(notice, LAN)
    save(notice, replace(LAN, state="rejected"))
    widened = save(notice, replace(LAN, state="accepted"))
    change(notice, SPLIT, Rename(label="WOMAN", to="LADY"))
    assert notice.get("notice").entities == (replace(LAN, label="LADY"),)
    undo(notice, widened)
    assert notice.get("notice").entities == (replace(LAN, label="LADY", state="rejected"),)
    save(notice, delete=("e1",))
    restore(notice, 4)
    assert notice.get("notice").entities == (replace(LAN, label="LADY"),)
    undo(notice, accepted)
    assert notice.get("notice").entities == ()


def test_what_went_before_a_split_is_refused_and_the_refusal_says_into_what(notice):
    save(notice, LAN)
    deleted = save(notice, delete=("e1",))
    change(notice, SPLIT)
    with pytest.raises(RefusedError, match="no label follows 'PERSON': it was split into WOMAN, MAN"):
        undo(notice, deleted)


def test_what_a_split_left_to_be_looked_at_comes_back_so_and_the_document_is_not_done(notice):
    save(notice, LAN, status="done")
    change(notice, Split(label="PERSON", into=("WOMAN", "MAN")))
    save(notice, delete=("e1",), status="skipped")
    restore(notice, 2)
    document = notice.get("notice")
    assert document.entities == (replace(LAN, label="WOMAN", state="suggested", source="split of PERSON"),)
    assert document.status == "started"


def test_what_a_split_left_with_its_label_can_be_changed_back(notice):
    save(notice, LAN)
    moved = save(notice, replace(LAN, start=0))
    change(notice, Split(label="PERSON", into=("PERSON", "MAN"), assign={"Bà Lan": "PERSON"}))
    undo(notice, moved)
    assert notice.get("notice").entities == (LAN,)


def test_equal_entities_of_merged_labels_come_back_as_one_with_all_remarks(notice):
    twin = replace(LAN, id="e9", label="DATE")
    save(notice, LAN, twin, comments_put=(Comment("c1", "?", "e1"), Comment("c9", "!", "e9")))
    change(notice, Merge(labels=("PERSON", "DATE"), into="THING"))
    [kept] = notice.get("notice").entities
    save(notice, delete=(kept.id,), comments_delete=("c1", "c9"))
    restore(notice, 2)
    document = notice.get("notice")
    [back] = document.entities
    assert replace(back, id="e1") == replace(LAN, label="THING")
    assert {comment.entity for comment in document.comments} == {back.id}
    assert len(document.comments) == 2


def test_an_entity_that_is_there_is_not_doubled_by_one_that_a_merge_made_equal(notice):
    save(notice, replace(LAN, id="e9", label="DATE"))
    deleted = save(notice, LAN, delete=("e9",))
    change(notice, Merge(labels=("PERSON", "DATE"), into="THING"))
    restore(notice, 2)
    assert [entity.label for entity in notice.get("notice").entities] == ["THING"]
    with pytest.raises(ConflictError):
        undo(notice, deleted)


def test_classes_of_a_document_are_followed_in_their_layer(notice):
    save(notice, labels={"topic": ("travel",), "mood": ("calm", "sad")})
    changed = save(notice, labels={"topic": ("health",), "mood": ()})
    change(
        notice,
        Rename(layer="topic", label="travel", to="trip"),
        Merge(layer="mood", labels=("calm", "sad"), into="quiet"),
        Rename(layer="topic", label="health", to="medicine"),
    )
    back = undo(notice, changed)
    assert notice.get("notice").labels == {"topic": ("trip",), "mood": ("quiet",)}
    undo(notice, back)
    assert notice.get("notice").labels == {"topic": ("medicine",), "mood": ()}
    restore(notice, 2)
    assert notice.get("notice").labels == {"topic": ("trip",), "mood": ("quiet",)}
    change(notice, Delete(layer="topic", label="trip"))
    with pytest.raises(RefusedError, match="no label follows 'travel': it was deleted"):
        restore(notice, 2)
