"""Events: appended, taken back and done again in any order, and enough to restore any version."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.stores import SCHEMA, operation
from viner.document import Document
from viner.schema import Schema, Type
from viner.store import Comment, ConflictError, Filter, RefusedError, Store, StoredDocument, StoredEntity, UnknownOperationError
from viner.store.delta import Delta
from viner.store.history import number_of

TEXT = "Bà Lan ở Hà Nội gặp bà Lan."
LAN = StoredEntity("e1", 3, 6, "PERSON")
HANOI = StoredEntity("e2", 9, 15, "LOCATION")


@pytest.fixture
def notice(store: Store) -> Store:
    store.add([Document(TEXT, id="notice"), Document(TEXT + "!", id="other")], who="import", split="train")
    return store


def state(document: StoredDocument) -> tuple[Any, ...]:
    """Everything that people change."""
    labels = {layer: classes for layer, classes in document.labels.items() if classes}
    return document.entities, labels, document.status, document.flagged, document.annotator, set(document.comments)


def undo(store: Store, name: str, who: str = "mai") -> str:
    new = uuid.uuid4().hex
    store.undo(name, new_id=new, who=who)
    return new


def test_undo_and_redo_across_a_restart(store_url: str) -> None:
    with Store.open(store_url, schema=SCHEMA) as store:
        store.add([Document(TEXT, id="notice")], who="import")
        start = state(store.get("notice"))
        sent = operation(
            "notice", 1, LAN, text=TEXT, flagged=True, comments_put=(Comment("c", "?"),), labels={"topic": ("health",)}
        )
        store.save(sent, who="mai")
        after = state(store.get("notice"))
    with Store.open(store_url) as store:
        back = undo(store, sent.operation)
        assert state(store.get("notice")) == start
        assert [event.undone for event in store.history("notice")] == [False, True]
    with Store.open(store_url) as store:
        undo(store, back)
        assert state(store.get("notice")) == after
        assert [event.undone for event in store.history("notice")] == [False, True, False]
        undo(store, sent.operation)
        assert state(store.get("notice")) == start
        assert store.get("notice").version == 5


def test_an_undo_sent_twice_is_done_once(notice: Store) -> None:
    sent = operation("notice", 1, LAN, text=TEXT)
    notice.save(sent, who="mai")
    first = notice.undo(sent.operation, new_id="u", who="mai")
    assert notice.undo(sent.operation, new_id="u", who="mai") == replace(first, replayed=True)
    with pytest.raises(RefusedError, match="undone already"):
        notice.undo(sent.operation, new_id="u2", who="mai")
    with pytest.raises(UnknownOperationError, match="no such operation"):
        notice.undo("nothing", new_id="u3", who="mai")
    assert notice.get("notice").version == 3


def test_an_undo_that_would_lose_a_later_change_says_whose_it_is(notice: Store) -> None:
    sent = operation("notice", 1, LAN, HANOI, text=TEXT)
    notice.save(sent, who="mai")
    notice.save(operation("notice", 2, replace(LAN, label="DATE"), text=TEXT), who="tom")
    with pytest.raises(ConflictError) as caught:
        notice.undo(sent.operation, new_id="u", who="mai")
    [conflict] = caught.value.conflicts
    assert (conflict["document"], conflict["what"], conflict["id"], conflict["who"]) == ("notice", "entity", "e1", "tom")
    assert "tom" in str(caught.value)
    assert notice.get("notice").version == 3
    assert len(notice.history("notice")) == 2


def test_an_undo_next_to_a_later_change_of_something_else_is_fine(notice: Store) -> None:
    sent = operation("notice", 1, LAN, text=TEXT)
    notice.save(sent, who="mai")
    notice.save(operation("notice", 2, HANOI, text=TEXT, status="done"), who="tom")
    undo(notice, sent.operation)
    assert notice.get("notice").entities == (HANOI,)
    assert notice.get("notice").status == "done"


def test_an_undo_never_accepts_something_twice(notice: Store) -> None:
    notice.save(operation("notice", 1, LAN, text=TEXT), who="mai")
    gone = operation("notice", 2, delete=("e1",))
    notice.save(gone, who="mai")
    notice.save(operation("notice", 3, replace(LAN, id="e9"), text=TEXT), who="tom")
    with pytest.raises(ConflictError):
        notice.undo(gone.operation, new_id="u", who="mai")


def test_a_status_that_was_set_again_is_in_conflict(notice: Store) -> None:
    sent = operation("notice", 1, status="done")
    notice.save(sent, who="mai")
    notice.save(operation("notice", 2, status="skipped"), who="tom")
    with pytest.raises(ConflictError) as caught:
        notice.undo(sent.operation, new_id="u", who="mai")
    assert caught.value.conflicts[0]["what"] == "status"


@pytest.mark.parametrize(
    "later",
    [
        {"entities": (HANOI,)},
        {"labels": {"topic": ("travel",)}},
        {"entities": (replace(HANOI, state="rejected"),)},
    ],
)
def test_a_document_is_to_do_again_only_where_nothing_decided_is_left(notice: Store, later: dict[str, Any]) -> None:
    first = operation("notice", 1, LAN, text=TEXT)
    notice.save(first, who="mai")
    given = {name: value for name, value in later.items() if name != "entities"}
    second = operation("notice", 2, *later.get("entities", ()), text=TEXT, **given)
    notice.save(second, who="tom")
    undone = undo(notice, first.operation)
    document = notice.get("notice")
    assert (document.status, document.annotator) == ("started", "tom")
    undo(notice, undone)
    undo(notice, second.operation)
    undo(notice, first.operation)
    document = notice.get("notice")
    assert (document.status, document.annotator, document.entities) == ("todo", None, ())


def test_classes_that_no_schema_knew_stand_in_nobodys_way(notice: Store) -> None:
    from viner.store.tables import documents

    notice.save(operation("notice", 1, labels={"topic": ("travel",)}), who="mai")
    with notice.transaction() as transaction:  # as earlier versions imported them
        transaction.connection.execute(documents.update().values(labels='{"topic": ["zzz"], "colour": ["red"]}'))
    _change_schema(notice, "added", lambda names: [*names, "PLANET"])
    undo(notice, "added")
    assert notice.schema()[0] == SCHEMA


def test_classes_that_the_schema_no_longer_has_do_not_come_back(notice: Store) -> None:
    for version, topic in enumerate(("travel", "health"), 1):
        notice.save(replace(operation("notice", version, labels={"topic": (topic,)}), operation=topic), who="mai")
    with notice.transaction(exclusive=True) as transaction:
        layers = [layer if layer.name != "topic" else replace(layer, types=layer.types[:1]) for layer in SCHEMA]
        event = transaction.event("deleted", who="mai", kind="schema")
        event.set_schema(Schema(tuple(layers)))
        event.finish()
    with pytest.raises(RefusedError, match="no longer has the label 'travel'"):
        notice.undo("health", new_id="u", who="mai")
    with pytest.raises(RefusedError, match="no longer has the label 'travel'"):
        notice.restore("notice", 2, operation="r", who="mai")


def _change_schema(store: Store, name: str, change: Callable[[list[str]], list[str]]) -> None:
    with store.transaction(exclusive=True) as transaction:
        event = transaction.event(name, who="mai", kind="schema")
        schema = transaction.schema()[0]
        names = change(list(schema["entities"].names))
        first = replace(schema["entities"], types=tuple(Type(label) for label in names))
        event.set_schema(Schema(tuple(first if layer.name == "entities" else layer for layer in schema)))
        event.finish()


def test_the_page_may_work_out_an_undo_itself(notice: Store) -> None:
    sent = operation("notice", 1, LAN, text=TEXT)
    notice.save(sent, who="mai")
    notice.save(operation("notice", 2, delete=("e1",), undoes=sent.operation), who="mai")
    assert [(event.kind, event.undone) for event in notice.history("notice")] == [("undo", False), ("edit", True)]
    with pytest.raises(RefusedError, match="undone already"):
        notice.undo(sent.operation, new_id="u", who="mai")


def test_every_version_can_be_restored(notice: Store) -> None:
    states = [state(notice.get("notice"))]
    for changes in (
        operation("notice", 1, LAN, text=TEXT),
        operation("notice", 2, HANOI, text=TEXT, delete=("e1",), status="done"),
        operation("notice", 3, flagged=True, comments_put=(Comment("c", "?"),), labels={"topic": ("travel",)}),
    ):
        notice.save(changes, who="mai")
        states.append(state(notice.get("notice")))
    for version in (1, 4, 2, 3, 1):
        notice.restore("notice", version, operation=uuid.uuid4().hex, who="tom")
        assert state(notice.get("notice")) == states[version - 1]
    first = notice.restore("notice", 2, operation="again", who="tom")
    assert notice.restore("notice", 2, operation="again", who="tom") == replace(first, replayed=True)
    undo(notice, "again")
    assert state(notice.get("notice")) == states[0]
    with pytest.raises(RefusedError, match="versions 1 to"):
        notice.restore("notice", 99, operation="r", who="tom")


def test_history_in_pages_and_by_person(notice: Store) -> None:
    for version in range(1, 6):
        notice.save(operation("notice", version, flagged=bool(version % 2)), who="mai" if version % 2 else "tom")
    newest = notice.history("notice", limit=2)
    assert [event.version for event in newest] == [6, 5]
    assert [event.version for event in notice.history("notice", before=newest[-1].number)] == [4, 3, 2]
    assert [event.version for event in notice.history("notice", who="tom")] == [5, 3]
    assert newest[0].before == {"flagged": False}
    assert newest[0].after == {"flagged": True}
    assert newest[0].to_dict()["at"].endswith("Z")


@pytest.mark.parametrize("number", [10**30, -(10**30), -5])
def test_numbers_that_no_database_holds_are_beyond_all_or_before_all(notice: Store, number: int) -> None:
    notice.save(operation("notice", 1, LAN, text=TEXT), who="mai")
    assert len(notice.history("notice", before=number)) == (1 if number > 0 else 0)
    assert len(notice.find(Filter(), after=number).rows) == (0 if number > 0 else 2)


def test_one_event_over_many_documents_is_one_undo_step(notice: Store) -> None:
    notice.save(operation("notice", 1, LAN, text=TEXT), who="mai")
    notice.save(operation("other", 1, replace(LAN, id="f1"), text=TEXT), who="mai")
    changed = Schema.of_entities(["HUMAN"])
    with notice.transaction(exclusive=True) as transaction:
        numbers = {name: number_of(transaction.connection, name) for name in ("notice", "other")}
        event = transaction.event("rename", who="tom", kind="schema", body={"rename": "PERSON"})
        event.apply(
            {
                numbers["notice"]: Delta({"e1": replace(LAN, label="HUMAN")}),
                numbers["other"]: Delta({"f1": replace(LAN, id="f1", label="HUMAN")}),
            }
        )
        event.set_schema(changed)
        saved = event.finish()
    assert (saved.documents, saved.schema) == (2, 2)
    assert notice.counts().labels == {"HUMAN": {"accepted": 2, "suggested": 0, "rejected": 0}}
    assert notice.history("other")[0].document is None
    back = notice.undo("rename", new_id="u", who="tom")
    assert (back.documents, back.schema) == (2, 3)
    assert notice.schema()[0] == SCHEMA
    assert [notice.get(name).entities[0].label for name in numbers] == ["PERSON", "PERSON"]
    assert [event.undone for event in notice.history("other")] == [False, True, False]
    notice.undo("u", new_id="u2", who="tom")
    assert notice.schema()[0] == changed
    notice.save(operation("other", 5, StoredEntity("f1", 3, 6, "HUMAN", "rejected"), text=TEXT, schema=4), who="mai")
    with pytest.raises(ConflictError) as caught:
        notice.undo("rename", new_id="u3", who="tom")
    assert caught.value.conflicts[0]["document"] == "other"
    assert [notice.get(name).entities[0].label for name in numbers] == ["HUMAN", "HUMAN"]


def test_new_suggestions_leave_decisions_alone(notice: Store) -> None:
    notice.save(operation("notice", 1, LAN, replace(HANOI, state="suggested"), text=TEXT), who="mai")
    with notice.transaction() as transaction:
        number = number_of(transaction.connection, "notice")
        transaction.suggest({number: [StoredEntity("s1", 9, 15, "LOCATION", score=0.9, source="model 003")]}, by="model 003")
    document = notice.get("notice")
    assert document.entities == (LAN, StoredEntity("s1", 9, 15, "LOCATION", "suggested", 0.9, "model 003"))
    assert (document.version, document.suggested_by) == (3, "model 003")
    assert notice.counts().labels["LOCATION"] == {"accepted": 0, "suggested": 1, "rejected": 0}


WORDS = [(0, 2), (3, 6), (7, 8), (9, 11), (12, 15), (16, 19), (20, 22), (23, 26)]
entity_puts = st.lists(
    st.builds(
        lambda place, words, label, where: StoredEntity(place, words[0][0], words[1][1], label, where),
        st.sampled_from("abcde"),
        st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).filter(lambda pair: pair[0] <= pair[1]),
        st.sampled_from(["PERSON", "LOCATION"]),
        st.sampled_from(["accepted", "suggested", "rejected"]),
    ),
    max_size=3,
    unique_by=lambda entity: entity.id,
)
steps = st.lists(
    st.fixed_dictionaries(
        {
            "puts": entity_puts,
            "delete": st.sets(st.sampled_from("abcde"), max_size=2),
            "labels": st.none() | st.dictionaries(st.just("topic"), st.sampled_from([(), ("health",), ("travel",)])),
            "status": st.none() | st.sampled_from(["todo", "started", "done", "skipped"]),
            "flagged": st.none() | st.booleans(),
            "comment": st.none() | st.tuples(st.sampled_from("xy"), st.sampled_from(["?", "Ờ."])),
        }
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_undoing_everything_gives_the_start_and_replaying_everything_the_end(
    notice: Store, steps: list[dict[str, Any]]
) -> None:
    name = uuid.uuid4().hex
    notice.add([Document(TEXT, id=name)], who="import", split="train")
    start, counts = state(notice.get(name)), notice.counts()
    done = []
    for step in steps:
        document = notice.get(name)
        held = {entity.id for entity in document.entities}
        # Ids are the document's own, since an entity belongs to one document.
        puts = [replace(entity, id=f"{name}{entity.id}"[-60:]) for entity in step["puts"]]
        gone = {f"{name}{key}"[-60:] for key in step["delete"]} & held - {entity.id for entity in puts}
        comments = () if step["comment"] is None else (Comment(*step["comment"]),)
        sent = operation(
            name, document.version, *puts, text=TEXT, delete=tuple(gone), labels=step["labels"], status=step["status"],
            flagged=step["flagged"], comments_put=comments,
        )  # fmt: skip
        try:
            notice.save(sent, who="mai")
        except RefusedError:  # accepted twice
            assert state(notice.get(name)) == state(document)
        else:
            done.append(sent.operation)
    end = state(notice.get(name))

    replayed: dict[str, Any] = {
        "entities": {},
        "comments": {},
        "labels": {},
        "status": "todo",
        "flagged": False,
        "annotator": None,
    }
    for event in reversed(notice.history(name)):
        for part, values in event.after.items():
            if isinstance(values, dict):
                replayed[part].update(values)
            else:
                replayed[part] = values
    assert {key: value for key, value in replayed["entities"].items() if value} == {
        entity.id: entity.to_dict() for entity in end[0]
    }
    assert {key: tuple(value) for key, value in replayed["labels"].items() if value} == end[1]
    assert (replayed["status"], replayed["flagged"], replayed["annotator"]) == end[2:5]
    assert [value for value in replayed["comments"].values() if value] == sorted(
        (comment.to_dict() for comment in end[5]), key=lambda item: list(replayed["comments"]).index(item["id"])
    )

    for sent_id in reversed(done):
        undo(notice, sent_id)
    assert state(notice.get(name)) == start
    assert notice.counts() == counts
    notice.erase([name], who="tom")
