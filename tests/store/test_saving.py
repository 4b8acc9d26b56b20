"""Saves: done once, on the version and schema they were made on, and true of the text, or refused."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from support.stores import operation
from viner.document import Document, Entity
from viner.schema import Schema
from viner.store import (
    Comment,
    Operation,
    Put,
    RefusedError,
    StaleSchemaError,
    StaleVersionError,
    Store,
    StoredEntity,
    UnknownDocumentError,
)
from viner.store.checks import Borders

TEXT = "Bà Lan ở Hà Nội gặp bà Lan."
LAN = StoredEntity("e1", 3, 6, "PERSON")
HANOI = StoredEntity("e2", 9, 15, "LOCATION")


@pytest.fixture
def notice(store: Store) -> Store:
    store.add([Document(TEXT, id="notice"), Document(TEXT + "!", id="other")], who="import")
    return store


def test_what_is_saved_is_there(notice: Store) -> None:
    saved = notice.save(operation("notice", 1, LAN, HANOI, text=TEXT), who="mai")
    assert (saved.version, saved.schema, saved.status, saved.replayed) == (2, 1, "started", False)
    document = notice.get("notice")
    assert document.entities == (LAN, HANOI)
    assert (document.version, document.status, document.annotator) == (2, "started", "mai")


def test_an_operation_sent_twice_is_done_once(notice: Store) -> None:
    sent = operation("notice", 1, LAN, text=TEXT)
    first = notice.save(sent, who="mai")
    notice.save(operation("notice", 2, HANOI, text=TEXT, status="done"), who="mai")
    again = notice.save(sent, who="mai")
    assert again == replace(first, replayed=True)
    assert notice.get("notice").version == 3
    assert len(notice.history("notice")) == 2


def test_an_id_is_not_used_for_two_operations(notice: Store) -> None:
    sent = operation("notice", 1, LAN, text=TEXT)
    notice.save(sent, who="mai")
    with pytest.raises(RefusedError, match="another operation"):
        notice.save(replace(sent, version=2, put=(Put(HANOI, "Hà Nội"),)), who="mai")
    assert notice.get("notice").entities == (LAN,)


def test_a_save_on_an_old_version_brings_the_current_document(notice: Store) -> None:
    notice.save(operation("notice", 1, LAN, text=TEXT), who="mai")
    with pytest.raises(StaleVersionError) as caught:
        notice.save(operation("notice", 1, HANOI, text=TEXT), who="tom")
    assert caught.value.current == notice.get("notice")
    assert caught.value.current.entities == (LAN,)
    with pytest.raises(StaleVersionError):
        notice.save(operation("notice", 3, HANOI, text=TEXT), who="tom")


def test_a_save_under_an_old_schema_says_which_is_current(notice: Store) -> None:
    with notice.transaction(exclusive=True) as transaction:
        transaction.write_schema(Schema.of_entities(["PLACE"]), who="tom")
    with pytest.raises(StaleSchemaError) as caught:
        notice.save(operation("notice", 1, LAN, text=TEXT), who="mai")
    assert (caught.value.version, caught.value.current.schema) == (2, 2)
    assert notice.get("notice").entities == ()


def test_an_unknown_document(notice: Store) -> None:
    with pytest.raises(UnknownDocumentError):
        notice.save(operation("nowhere", 1), who="mai")
    with pytest.raises(UnknownDocumentError):
        notice.get("nowhere")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"surface": "Lam"}, "put[0].surface"),
        ({"start": -1}, "put[0].start"),
        ({"end": 28, "surface": "Lan ở Hà Nội gặp bà Lan."}, "put[0].end"),
        ({"end": 10**30}, "put[0].end"),
        ({"start": 6}, "put[0].end"),
        ({"start": 2, "surface": " Lan"}, "put[0].surface"),
        ({"end": 7, "surface": "Lan "}, "put[0].surface"),
        ({"label": "PLANET"}, "put[0].label"),
        ({"label": "health"}, "put[0].label"),
    ],
)
def test_an_entity_that_is_not_true_of_the_text_is_refused(notice: Store, change: dict[str, Any], where: str) -> None:
    put = {"id": "e1", "start": 3, "end": 6, "surface": "Lan", "label": "PERSON"} | change
    sent = Operation.from_dict({"operation": "o", "document": "notice", "version": 1, "schema": 1, "put": [put]})
    with pytest.raises(RefusedError) as caught:
        notice.save(sent, who="mai")
    assert caught.value.where == where
    assert caught.value.code == "refused"
    assert notice.get("notice").version == 1
    assert notice.history("notice") == []


@pytest.mark.parametrize(
    ("text", "start", "end", "where"),
    [
        (unicodedata.normalize("NFD", "Hà Nội"), 0, 2, "put[0].end"),  # the grave of à is left behind
        (unicodedata.normalize("NFD", "Hà Nội"), 2, 7, "put[0].start"),
        ("👩‍👩‍👧 ở Huế", 0, 1, "put[0].end"),  # a family
        ("👩‍👩‍👧 ở Huế", 4, 5, "put[0].start"),
        ("👍🏽 Huế", 0, 1, "put[0].end"),  # a skin tone
        ("🇻🇳🇫🇷", 1, 3, "put[0].start"),  # two flags: the middle is no flag
        ("\r\nHuế\r\n", 2, 6, "put[0].surface"),
        ("क्षत्रिय", 0, 2, "put[0].end"),  # a conjunct
    ],
)
def test_no_character_is_cut(store: Store, text: str, start: int, end: int, where: str) -> None:
    store.add([Document(text, id="d")], who="import")
    with pytest.raises(RefusedError) as caught:
        store.save(operation("d", 1, StoredEntity("e", start, end, "PERSON"), text=text), who="mai")
    assert caught.value.where == where


@pytest.mark.parametrize(("start", "end"), [(0, 2), (2, 4)])
def test_whole_flags_are_fine(store: Store, start: int, end: int) -> None:
    store.add([Document("🇻🇳🇫🇷", id="d")], who="import")
    assert store.save(operation("d", 1, StoredEntity("e", start, end, "LOCATION"), text="🇻🇳🇫🇷"), who="mai").version == 2


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"version": True}, "version"),
        ({"schema": "1"}, "schema"),
        ({"operation": "x" * 65}, "operation"),
        ({"operation": ""}, "operation"),
        ({"operation": None}, "operation"),
        ({"document": 7}, "document"),
        ({"put": {}}, "put"),
        ({"put": [7]}, "put[0]"),
        ({"put": [{"id": "e", "start": True, "end": 2, "surface": "Bà", "label": "PERSON"}]}, "put[0].start"),
        ({"put": [{"id": "e", "start": 0, "end": 2.0, "surface": "Bà", "label": "PERSON"}]}, "put[0].end"),
        ({"put": [{"id": "e" * 65, "start": 0, "end": 2, "surface": "Bà", "label": "PERSON"}]}, "put[0].id"),
        ({"put": [{"id": "e", "start": 0, "end": 2, "surface": "B\ud800", "label": "PERSON"}]}, "put[0].surface"),
        ({"put": [{"id": "e\0", "start": 0, "end": 2, "surface": "Bà", "label": "PERSON"}]}, "put[0].id"),
        ({"put": [{"id": "e", "start": 0, "end": 2, "surface": "Bà", "label": "PERSON", "state": "gold"}]}, "put[0].state"),
        ({"put": [{"id": "e", "start": 0, "end": 2, "surface": "Bà", "label": "PERSON", "score": 2}]}, "put[0].score"),
        ({"put": [{"id": "e", "start": 0, "end": 2, "surface": "Bà", "label": "PERSON", "text": "Bà"}]}, "put[0].text"),
        ({"delete": [1]}, "delete[0].id"),
        ({"labels": {"topic": "health"}}, "labels.topic"),
        ({"status": "ready"}, "status"),
        ({"flagged": 1}, "flagged"),
        ({"comments": {"put": [{"id": "c", "text": "\udfff"}]}}, "comments.put[0].text"),
        ({"comments": {"put": [{"id": "c", "text": "x" * 10_001}]}}, "comments.put[0].text"),
        ({"lables": {}}, "lables"),
    ],
)
def test_values_of_the_wrong_type_are_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Operation.from_dict({"operation": "o", "document": "notice", "version": 1, "schema": 1} | changes)
    assert caught.value.where == where


def test_the_json_form_comes_back() -> None:
    sent = operation(
        "notice", 4, replace(LAN, score=0.5, source="model 003", state="rejected"), text=TEXT, delete=("e2",),
        labels={"topic": ("health",)}, status="done", flagged=True, comments_put=(Comment("c", "why?", "e1"),),
        comments_delete=("c0",), undoes="o0",
    )  # fmt: skip
    assert Operation.from_dict(sent.to_dict()) == sent


def test_an_entity_of_another_document_stays_there(notice: Store) -> None:
    notice.save(operation("other", 1, LAN, text=TEXT), who="mai")
    with pytest.raises(RefusedError, match="no entity 'e1'"):
        notice.save(operation("notice", 1, delete=("e1",)), who="mai")
    notice.save(operation("notice", 1, replace(LAN, label="DATE"), text=TEXT), who="mai")
    assert notice.get("other").entities == (LAN,)


def test_a_deleted_entity_comes_back_under_the_id_that_other_documents_use_too(store: Store) -> None:
    held = [Entity(3, 6, "PERSON")]
    store.add([Document(TEXT, id="a", entities=held), Document(TEXT + "!", id="b", entities=held)], who="import")
    (entity,) = store.get("a").entities
    assert store.get("b").entities == (entity,)
    deleted = operation("a", 1, delete=(entity.id,))
    store.save(deleted, who="mai")
    store.save(operation("a", 2, entity, text=TEXT, undoes=deleted.operation), who="mai")
    assert store.get("a").entities == (entity,)


def test_ids_that_files_gave_may_stand_in_many_documents(store: Store) -> None:
    held = [Entity(3, 6, "PERSON", id="T1")]
    store.add([Document(TEXT, id=name, entities=held) for name in ("a", "b")], who="import")
    store.save(operation("b", 1, StoredEntity("T1", 3, 6, "DATE"), text=TEXT), who="mai")
    assert [store.get(name).entities[0].label for name in ("a", "b")] == ["PERSON", "DATE"]


def test_a_text_of_flags_costs_no_more_than_another(store: Store) -> None:
    """Each flag is two code points, and only the beginning of their row says which two; looking back each time takes hours."""
    flags = "🇻🇳" * 100_000
    store.add([Document(flags, id="flags")], who="import")
    far = [StoredEntity(str(place), place, place + 2, "LOCATION") for place in range(198_000, 200_000, 2)]
    assert store.save(operation("flags", 1, *far, text=flags), who="mai").version == 2
    with pytest.raises(RefusedError) as caught:
        store.save(operation("flags", 2, StoredEntity("cut", 199_997, 199_999, "LOCATION"), text=flags), who="mai")
    assert caught.value.where == "put[0].start"


BORDERS = list("aế\u0300\u200d\r\n 😷👩🏽🇻🇳क्क가\u0600\ufe0f\u0e33")


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(BORDERS), max_size=30) | st.text(st.sampled_from(["🇻", "🇳"]), min_size=30, max_size=90))
def test_borders_are_those_of_the_whole_text_or_beside_white_space(text: str) -> None:
    ends = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    borders = Borders(text)
    for offset in range(len(text) + 1):
        beside = 0 < offset < len(text) and text[offset - 1].isspace() != text[offset].isspace()
        assert borders.is_border(offset) == (offset in ends or beside)


@pytest.mark.parametrize(("part", "where"), [("put", "put"), ("delete", "delete"), ("comments", "comments.put")])
def test_an_operation_of_endless_parts_is_refused(notice: Store, part: str, where: str) -> None:
    many = range(10_001)
    parts: dict[str, Any] = {
        "put": {"put": tuple(Put(replace(LAN, id=str(number), state="rejected"), "Lan") for number in many)},
        "delete": {"delete": tuple(map(str, many))},
        "comments": {"comments_put": tuple(Comment(str(number), "?") for number in many)},
    }
    with pytest.raises(RefusedError, match="10,001 at once") as caught:
        notice.save(replace(operation("notice", 1), **parts[part]), who="mai")
    assert caught.value.where == where


def test_an_id_given_twice_is_named(notice: Store) -> None:
    with pytest.raises(RefusedError, match="'e2' stands there twice"):
        notice.save(operation("notice", 1, LAN, HANOI, text=TEXT, delete=("e2",)), who="mai")


def test_a_person_says_no_to_whatever_stands_there(store: Store) -> None:
    """Entities of files are taken as they are; to cut a character or to begin with a space is one more reason to say no."""
    text = unicodedata.normalize("NFD", "Bà Lan")
    odd = [Entity(2, 6, "PERSON", id="mark"), Entity(3, 7, "PERSON", id="space")]
    store.add([Document(text, id="d", entities=odd)], who="import")
    stored = store.get("d").entities
    no = [replace(entity, state="rejected") for entity in stored]
    store.save(operation("d", 1, *no, text=text), who="mai")
    assert [entity.state for entity in store.get("d").entities] == ["rejected", "rejected"]
    for entity in stored:
        with pytest.raises(RefusedError):
            store.save(operation("d", 2, entity, text=text), who="mai")
    with pytest.raises(RefusedError):
        store.save(operation("d", 2, replace(no[0], end=5), text=text), who="mai")


def test_nothing_is_accepted_twice(notice: Store) -> None:
    notice.save(operation("notice", 1, LAN, text=TEXT), who="mai")
    twin = replace(LAN, id="e9")
    with pytest.raises(RefusedError, match="already accepted"):
        notice.save(operation("notice", 2, twin, text=TEXT), who="mai")
    with pytest.raises(RefusedError, match="already accepted"):
        notice.save(operation("other", 1, replace(twin, id="a"), replace(twin, id="b"), text=TEXT), who="mai")
    with pytest.raises(RefusedError, match="stands there twice"):
        notice.save(operation("other", 1, twin, twin, text=TEXT), who="mai")
    notice.save(operation("notice", 2, replace(twin, state="rejected"), text=TEXT), who="mai")
    notice.save(operation("notice", 3, replace(twin, label="DATE"), text=TEXT), who="mai")
    notice.save(operation("notice", 4, replace(twin, id="e8"), text=TEXT, delete=("e1",)), who="mai")
    assert {entity.id for entity in notice.get("notice").entities} == {"e8", "e9"}


def test_a_remark_that_is_brought_back_is_its_authors_still(notice: Store) -> None:
    notice.save(operation("notice", 1, comments_put=(Comment("c", "Which Lan?"),)), who="lan")
    (before,) = notice.get("notice").comments
    gone, again = (operation("notice", version, comments_delete=("c",)) for version in (2, 4))
    notice.save(gone, who="minh")
    notice.save(operation("notice", 3, comments_put=(Comment("c", "Which Lan?"),), undoes=gone.operation), who="minh")
    assert notice.get("notice").comments == (before,)
    notice.save(again, who="minh")
    notice.save(operation("notice", 5, comments_put=(Comment("c", "I never wrote this."),), undoes=again.operation), who="minh")
    assert notice.get("notice").comments[0].who == "minh"


def test_labels_status_flag_and_comments_ride_along(notice: Store) -> None:
    notice.save(
        operation(
            "notice", 1, LAN, text=TEXT, labels={"topic": ("health",), "mood": ("calm", "sad")}, status="done", flagged=True,
            comments_put=(Comment("c1", "Which Lan?", "e1"), Comment("c2", "Long.")),
        ),
        who="mai",
    )  # fmt: skip
    document = notice.get("notice")
    assert document.labels == {"topic": ("health",), "mood": ("calm", "sad")}
    assert (document.status, document.flagged) == ("done", True)
    assert [(item.id, item.text, item.entity, item.who) for item in document.comments] == [
        ("c1", "Which Lan?", "e1", "mai"),
        ("c2", "Long.", None, "mai"),
    ]
    notice.save(
        operation("notice", 2, labels={"topic": ()}, comments_put=(Comment("c1", "Solved."),), comments_delete=("c2",)),
        who="tom",
    )
    document = notice.get("notice")
    assert document.labels == {"topic": (), "mood": ("calm", "sad")}
    assert [(item.id, item.text, item.who) for item in document.comments] == [("c1", "Solved.", "mai")]
    assert document.status == "done"
    assert len(notice.history("notice")) == 2


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"labels": {"topic": ("health", "travel")}}, "labels.topic"),
        ({"labels": {"topic": ("war",)}}, "labels.topic[0]"),
        ({"labels": {"weather": ("fine",)}}, "labels.weather"),
        ({"labels": {"mood": ("sad", "sad")}}, "labels.mood"),
        ({"comments_put": (Comment("c", "?", "e7"),)}, "comments.put[0].entity"),
        ({"comments_delete": ("c",)}, "comments.delete[0]"),
        ({"undoes": "nothing"}, "undoes"),
    ],
)
def test_what_the_document_or_schema_does_not_have_is_refused(notice: Store, changes: dict[str, Any], where: str) -> None:
    with pytest.raises(RefusedError) as caught:
        notice.save(operation("notice", 1, **changes), who="mai")
    assert caught.value.where == where


def test_only_a_decision_begins_a_document(notice: Store) -> None:
    notice.save(operation("notice", 1, flagged=True, comments_put=(Comment("c", "?"),)), who="mai")
    notice.save(operation("notice", 2, replace(LAN, state="suggested"), text=TEXT), who="mai")
    assert (notice.get("notice").status, notice.get("notice").annotator) == ("todo", None)
    notice.save(operation("notice", 3, replace(LAN, state="rejected"), text=TEXT), who="mai")
    assert (notice.get("notice").status, notice.get("notice").annotator) == ("started", "mai")


def test_a_refused_operation_leaves_nothing_behind(notice: Store) -> None:
    before = notice.get("notice"), notice.counts()
    with pytest.raises(RefusedError):
        notice.save(operation("notice", 1, LAN, replace(HANOI, label="PLANET"), text=TEXT, flagged=True), who="mai")
    assert (notice.get("notice"), notice.counts()) == before


def test_sqlite_is_asked_to_keep_what_it_acknowledges(tmp_path: Any) -> None:
    with Store.open(tmp_path / "viner.db") as store, store.reading() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")}
        assert pragmas == {"synchronous": 2, "journal_mode": "wal"}
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
