"""The schema changes in mid-project: what is counted before, what is changed, what is taken back."""

import dataclasses
import unicodedata

import pytest

from support.stores import SCHEMA, operation
from viner.annotation.changes import (
    Add,
    Delete,
    Describe,
    Merge,
    Recolor,
    Rename,
    Reorder,
    Split,
    StaleChangeError,
    apply,
    change_from_dict,
    preview,
)
from viner.corpus import REVIEWED
from viner.document import Document, Entity, Relation
from viner.errors import SchemaError
from viner.schema import Layer, Schema, Type
from viner.store import Comment, ConflictError, Filter, RefusedError, StaleSchemaError, StoredEntity

TEXT = "Lan gặp Nam ở Huế."
LAN, NAM, HUE = (0, 3), (8, 11), (14, 17)


def document(name, entities, suggestions=(), text=TEXT, **fields):
    return Document(
        text,
        id=name,
        entities=[Entity(*span, label, id=f"{name}-{index}") for index, (span, label) in enumerate(entities)],
        suggestions=[Entity(*span, label, id=f"{name}-s{index}", score=0.5) for index, (span, label) in enumerate(suggestions)],
        **fields,
    )


@pytest.fixture
def filled(store):
    """Two done documents of train, one of test, and one that is started."""
    store.add(
        [
            document("d1", [(LAN, "PERSON"), (NAM, "PERSON"), (HUE, "LOCATION")]),
            document("d2", [(LAN, "PERSON"), (LAN, "DATE")], text="Lan đi. Không có gì."),
            document("d3", [(LAN, "PERSON")], [(NAM, "PERSON")], text="Lan rồi Nam", meta={REVIEWED: [[0, 3]]}),
        ],
        who="import",
        split="train",
    )
    store.add([document("t1", [(NAM, "PERSON")], text="Ở đây:  Nam.")], who="import", split="test")
    return store


def found(store, name):
    return {(e.start, e.end, e.label, e.state) for e in store.get(name).entities}


def everything(store):
    """All that can be seen of a store, without the versions that only go up."""
    return [dataclasses.replace(store.get(row.id), version=0, schema=0) for row in store.find(Filter()).rows]


def test_a_rename_takes_every_entity_along_as_one_event_and_raises_versions(filled):
    before = {name: filled.get(name).version for name in ("d1", "d2", "d3", "t1")}
    counted = preview(filled, Rename(label="PERSON", to="NAME"))
    saved = apply(filled, Rename(label="PERSON", to="NAME"), operation="op", who="lan")
    assert saved.documents == 4
    assert counted.entities == {"accepted": 5, "suggested": 1, "rejected": 0}
    assert counted.documents["train"] == {"todo": 0, "started": 1, "done": 2, "skipped": 0}
    assert counted.documents["test"]["done"] == 1
    assert found(filled, "d1") == {(*LAN, "NAME", "accepted"), (*NAM, "NAME", "accepted"), (*HUE, "LOCATION", "accepted")}
    assert {name: filled.get(name).version for name in before} == {name: version + 1 for name, version in before.items()}
    assert filled.schema()[0]["entities"].names == ("NAME", "LOCATION", "DATE")
    assert filled.schema()[1] == saved.schema == 2
    assert filled.counts().labels["NAME"]["accepted"] == 5
    assert "PERSON" not in filled.counts().labels
    event = filled.history("d1")[0]
    assert (event.kind, event.who, event.document) == ("schema", "lan", None)


CHANGES = [
    Rename(label="PERSON", to="NAME"),
    Merge(labels=("PERSON", "DATE"), into="THING"),
    Merge(labels=("DATE",), into="PERSON"),
    Split(label="PERSON", into=("WOMAN", "MAN"), assign={"Lan": "WOMAN"}),
    Recolor(label="PERSON", color="#102030"),
    Describe(label="PERSON", description="Who", key="p"),
    Add(label="AGE", key="a"),
    Delete(label="PERSON"),
    Reorder(labels=("DATE", "PERSON", "LOCATION")),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.kind)
def test_every_change_can_be_taken_back_and_done_again(filled, change):
    old, counts = everything(filled), filled.counts()
    apply(filled, change, operation="op", who="lan")
    new, changed = everything(filled), filled.schema()[0]
    assert changed == change.schema(SCHEMA) != SCHEMA
    filled.undo("op", new_id="back", who="lan")
    assert everything(filled) == old
    assert filled.schema()[0] == SCHEMA
    assert filled.counts() == counts
    filled.undo("back", new_id="again", who="lan")
    assert everything(filled) == new
    assert filled.schema()[0] == changed


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.kind)
def test_changes_go_over_the_wire(change):
    assert change_from_dict(change.to_dict()) == change


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.kind)
def test_a_change_sent_twice_is_done_once_and_its_id_serves_no_other(filled, change):
    first = apply(filled, change, operation="op", who="lan")
    again = apply(filled, change, operation="op", who="lan")
    assert again == dataclasses.replace(first, replayed=True)
    assert filled.schema()[1] == 2
    with pytest.raises(RefusedError, match="another operation"):
        apply(filled, Add(label="OTHER"), operation="op", who="lan")


def test_a_merge_makes_one_of_equal_spans_and_keeps_what_was_accepted(store):
    store.add(
        [
            document(
                "d1", [(LAN, "PERSON"), (LAN, "DATE"), (NAM, "DATE")], [(HUE, "PERSON"), (HUE, "DATE")], meta={REVIEWED: []}
            ),
            document("d2", [(NAM, "DATE")], [(NAM, "PERSON")], text="Anh ấy! Nam!", meta={REVIEWED: []}),
        ],
        who="import",
    )
    change = Merge(labels=("PERSON", "DATE"), into="NAME")
    assert preview(store, change).collapsed == 3
    apply(store, change, operation="op", who="lan")
    assert found(store, "d1") == {(*LAN, "NAME", "accepted"), (*NAM, "NAME", "accepted"), (*HUE, "NAME", "suggested")}
    assert found(store, "d2") == {(*NAM, "NAME", "accepted")}
    assert store.counts().labels == {"NAME": {"accepted": 3, "suggested": 1, "rejected": 0}}


def test_a_remark_on_an_entity_that_was_merged_away_is_about_the_one_that_stays(store):
    store.add([document("d1", [(LAN, "PERSON"), (LAN, "DATE")])], who="import")
    gone = next(entity.id for entity in store.get("d1").entities if entity.label == "DATE")
    kept = next(entity.id for entity in store.get("d1").entities if entity.label == "PERSON")
    store.save(operation("d1", 1, comments_put=(Comment("c1", "Sure?", gone),)), who="nam")
    apply(store, Merge(labels=("DATE",), into="PERSON"), operation="op", who="lan")
    (comment,) = store.get("d1").comments
    assert (comment.entity, comment.who, comment.text) == (kept, "nam", "Sure?")
    store.undo("op", new_id="back", who="lan")
    assert store.get("d1").comments[0].entity == gone


@pytest.mark.parametrize("label", ["PERSON", "DATE"])
def test_of_merged_entities_the_one_that_a_relation_names_stays(store, label):
    made = [Entity(*LAN, "PERSON", id="p"), Entity(*LAN, "DATE", id="d"), Entity(*HUE, "LOCATION", id="h")]
    relation = Relation("p" if label == "PERSON" else "d", "h", "lives_in")
    store.add([dataclasses.replace(document("d1", []), entities=made, relations=[relation])], who="import")
    apply(store, Merge(labels=("PERSON", "DATE"), into="NAME"), operation="op", who="lan")
    (exported,) = store.export()
    assert [entity.id for entity in exported.entities] == [relation.head, "h"]
    assert exported.relations == (relation,)


def test_a_split_goes_by_surface_and_what_is_not_assigned_must_be_reviewed(filled):
    change = Split(label="PERSON", into=("WOMAN", "MAN"), assign={"Lan": "WOMAN"})
    counted = preview(filled, change)
    assert [(s.surface, s.accepted, s.suggested, s.to) for s in counted.surfaces] == [
        ("Lan", 3, 0, "WOMAN"),
        ("Nam", 2, 1, None),
    ]
    assert (counted.review, counted.reopened) == (2, 2)
    assert "started again" in counted.notes[0]
    apply(filled, change, operation="op", who="lan")
    assert found(filled, "d1") == {(*LAN, "WOMAN", "accepted"), (*NAM, "WOMAN", "suggested"), (*HUE, "LOCATION", "accepted")}
    nam = next(entity for entity in filled.get("d1").entities if entity.start == NAM[0])
    assert nam.source == "split of PERSON"
    # Done would say that Nam is no entity, which nobody said.
    assert [filled.get(name).status for name in ("d1", "d2", "d3", "t1")] == ["started", "done", "started", "started"]
    filled.undo("op", new_id="back", who="lan")
    assert [filled.get(name).status for name in ("d1", "d2", "d3", "t1")] == ["done", "done", "started", "done"]


def test_surfaces_are_assigned_whatever_their_normal_form(store):
    store.add([document("d1", [((0, 7), "PERSON")], text="Hoa\u0300 Lê đi")], who="import")  # NFD
    change = Split(label="PERSON", into=("WOMAN", "MAN"), assign={"Hoà Lê": "WOMAN"})
    assert [(s.surface, s.to) for s in preview(store, change).surfaces] == [("Hoà Lê", "WOMAN")]
    apply(store, change, operation="op", who="lan")
    assert found(store, "d1") == {(0, 7, "WOMAN", "accepted")}


def test_a_deletion_says_what_goes_and_where(filled):
    counted = preview(filled, Delete(label="PERSON"))
    assert counted.notes == ("3 done documents lose annotations, 1 documents of test among them.",)
    sample = counted.samples[0]
    assert (sample.surface, sample.label, sample.to, sample.to_state) == ("Lan", "PERSON", None, None)
    apply(filled, Delete(label="PERSON"), operation="op", who="lan")
    assert found(filled, "t1") == set()
    assert filled.get("t1").status == "done"


def test_samples_show_the_entity_in_its_context_on_one_line(store):
    text = "Xin chào 😷\nLan ở Huế\tvà Nam"
    start = text.index("Lan")
    store.add([document("d1", [((start, start + 3), "PERSON")], text=text)], who="import")
    (sample,) = preview(store, Rename(label="PERSON", to="NAME")).samples
    assert (sample.before, sample.surface, sample.after) == ("Xin chào 😷 ", "Lan", " ở Huế và Nam")
    assert (sample.id, sample.label, sample.to) == ("d1", "PERSON", "NAME")


def test_a_new_label_says_that_done_documents_do_not_have_it(filled):
    (note,) = preview(filled, Add(label="AGE")).notes
    assert "3 documents are done without this label" in note


def test_classes_of_documents_follow_too(store):
    store.add(
        [document("d1", [], labels={"mood": ["calm", "sad"], "topic": ["health"]}), document("d2", [], text="b")], who="import"
    )
    assert preview(store, Rename(layer="mood", label="sad", to="blue")).entities["accepted"] == 1
    apply(store, Rename(layer="mood", label="sad", to="blue"), operation="a", who="lan")
    assert store.get("d1").labels == {"mood": ("calm", "blue"), "topic": ("health",)}
    apply(store, Merge(layer="mood", labels=("calm", "blue"), into="calm"), operation="b", who="lan")
    assert store.get("d1").labels["mood"] == ("calm",)
    apply(store, Delete(layer="mood", label="calm"), operation="c", who="lan")
    assert store.get("d1").labels["mood"] == ()
    for new_id, op in (("x", "c"), ("y", "b"), ("z", "a")):
        store.undo(op, new_id=new_id, who="lan")
    assert store.get("d1").labels == {"mood": ("calm", "sad"), "topic": ("health",)}
    with pytest.raises(SchemaError, match="no surface"):
        preview(store, Split(layer="mood", label="calm", into=("a", "b")))


def test_taking_back_would_not_overwrite_what_somebody_did_since(filled):
    apply(filled, Rename(label="PERSON", to="NAME"), operation="op", who="lan")
    entity = next(entity for entity in filled.get("d2").entities if entity.label == "NAME")
    changed = dataclasses.replace(entity, label="LOCATION")
    filled.save(operation("d2", filled.get("d2").version, changed, text=filled.get("d2").text, schema=2), who="nam")
    before = everything(filled)
    with pytest.raises(ConflictError) as caught:
        filled.undo("op", new_id="back", who="lan")
    assert caught.value.where == "d2"
    assert caught.value.conflicts[0]["who"] == "nam"
    assert everything(filled) == before
    assert filled.schema()[0]["entities"].names == ("NAME", "LOCATION", "DATE")


def test_entities_that_got_the_new_name_since_stand_in_the_way_of_taking_it_back(filled):
    apply(filled, Rename(label="LOCATION", to="PLACE"), operation="op", who="lan")
    new = StoredEntity("new", *LAN, "PLACE")
    filled.save(operation("t1", filled.get("t1").version, new, text=filled.get("t1").text, schema=2), who="nam")
    before = everything(filled)
    with pytest.raises(ConflictError, match="entity new was changed later by nam") as caught:
        filled.undo("op", new_id="back", who="lan")
    assert [(item["document"], item["id"]) for item in caught.value.conflicts] == [("t1", "new")]
    assert everything(filled) == before
    filled.save(operation("t1", filled.get("t1").version, schema=2, delete=("new",)), who="nam")
    filled.undo("op", new_id="back", who="lan")
    assert filled.schema()[0] == SCHEMA


def test_suggestions_are_nobodys_work_and_never_stand_in_the_way(store):
    store.add(
        [document("d1", [], [(LAN, "PERSON")]).with_(entities=None), document("d2", [(LAN, "PERSON")], text="Lan")],
        who="import",
    )
    apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan")
    with store.transaction(exclusive=True) as transaction:  # a new model suggests, under the new name
        transaction.suggest({1: [StoredEntity("m1", *NAM, "NAME", "suggested", 0.9)]}, by="model 002")
    store.undo("op", new_id="back", who="lan")
    assert store.get("d1").entities == ()
    assert found_labels(store, "d2") == ["PERSON"]
    assert store.counts().labels == {"PERSON": {"accepted": 1, "suggested": 0, "rejected": 0}}
    store.undo("back", new_id="again", who="lan")
    assert found_labels(store, "d1") == ["NAME"]


def found_labels(store, name):
    return [entity.label for entity in store.get(name).entities]


def test_classes_that_were_given_since_stand_in_the_way_too(store):
    store.add([document("d1", [])], who="import")
    apply(store, Rename(layer="mood", label="sad", to="blue"), operation="op", who="lan")
    store.save(operation("d1", 1, schema=2, labels={"mood": ("blue",)}), who="nam")
    with pytest.raises(ConflictError, match="labels mood was changed later by nam"):
        store.undo("op", new_id="back", who="lan")


def test_an_older_change_of_the_schema_is_not_taken_back_under_a_later_one(filled):
    apply(filled, Rename(label="PERSON", to="NAME"), operation="one", who="lan")
    apply(filled, Add(label="AGE"), operation="two", who="nam")
    with pytest.raises(ConflictError) as caught:
        filled.undo("one", new_id="back", who="lan")
    assert caught.value.conflicts[0]["operation"] == "two"


def test_pages_and_forms_that_are_behind_are_told(filled):
    apply(filled, Rename(label="PERSON", to="NAME"), operation="op", who="lan")
    entity = StoredEntity("new", *HUE, "PERSON")
    with pytest.raises(StaleSchemaError):
        filled.save(operation("d1", 1, entity, text=TEXT, schema=1), who="nam")
    with pytest.raises(StaleChangeError) as caught:
        apply(filled, Delete(label="DATE"), operation="late", who="nam", version=1)
    assert (caught.value.code, caught.value.version) == ("stale_schema", 2)
    assert filled.schema()[1] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Rename(label="NOBODY", to="X"), "no label 'NOBODY'"),
        (Rename(label="PERSON", to="DATE"), "is a label 'DATE' already"),
        (Rename(label="PERSON", to=" X"), "no name for a label"),
        (Rename(label="PERSON", to=""), "no name for a label"),
        (Rename(layer="none", label="PERSON", to="X"), "no layer 'none'"),
        (Merge(labels=("PERSON",), into="PERSON"), "two different labels"),
        (Merge(labels=(), into="PERSON"), "two different labels"),
        (Merge(labels=("PERSON", "PERSON"), into="X"), "two different labels"),
        (Split(label="PERSON", into=("X",)), "two different labels"),
        (Split(label="PERSON", into=("X", "DATE")), "is a label 'DATE' already"),
        (Split(label="PERSON", into=("X", "Y"), assign={"Lan": "Z"}), "none of the new labels"),
        (Recolor(label="PERSON", color="red"), "no color"),
        (Add(label="TÊN", key="ab"), "no key"),
        (Describe(label="PERSON", key="ab"), "no key"),
        (Describe(label="PERSON", key="*"), r"uses the key '\*' itself"),
        (Reorder(labels=("PERSON",)), "each label once"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(filled, change, message):
    before = everything(filled)
    for act in (lambda: preview(filled, change), lambda: apply(filled, change, operation="op", who="lan")):
        with pytest.raises(SchemaError, match=message):
            act()
    assert everything(filled) == before
    assert filled.schema() == (SCHEMA, 1)


def test_a_label_that_looks_the_same_as_another_is_refused():
    composed, decomposed = (unicodedata.normalize(form, "TUỔI") for form in ("NFC", "NFD"))
    layer = Layer("entities", "entities", (Type(composed), Type("NGÀY")))
    for change in (
        Add(label=decomposed),
        Rename(label="NGÀY", to=decomposed),
        Split(label="NGÀY", into=("NGÀY", decomposed)),
        Split(label=composed, into=(composed, decomposed)),
    ):
        with pytest.raises(SchemaError, match="looks the same as"):
            change.types(layer)
    assert [item.name for item in Rename(label=composed, to=decomposed).types(layer)] == [decomposed, "NGÀY"]
    assert [item.name for item in Merge(labels=(composed, "NGÀY"), into=decomposed).types(layer)] == [decomposed]


def test_a_type_that_has_a_key_of_the_page_can_still_be_described():
    layer = Layer("entities", "entities", (Type("PERSON", key="*"),))
    described = Describe(label="PERSON", description="people", key="*").types(layer)
    assert described == (Type("PERSON", "people", key="*"),)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"kind": "paint"},
        {"kind": "rename", "label": "A"},
        {"kind": "rename", "label": "A", "to": 3},
        {"kind": "rename", "label": "A", "to": "B", "x": 1},
        {"kind": "merge", "labels": "AB", "into": "C"},
        {"kind": "merge", "labels": ["A"], "into": ["C"]},
        {"kind": "split", "label": "A", "into": "BC"},
        {"kind": "split", "label": "A", "into": ["B", "C"], "assign": {"x": 1}},
    ],
)
def test_changes_that_are_none_are_refused_with_their_field(data):
    with pytest.raises(SchemaError) as caught:
        change_from_dict(data)
    assert caught.value.where.startswith("change.")


def test_word_tags_and_relations_of_documents_are_not_changed(store):
    with store.transaction(exclusive=True) as transaction:
        transaction.write_schema(Schema((*SCHEMA, Layer("pos", "tags", (Type("N"), Type("V"))))), who="test")
    apply(store, Rename(layer="pos", label="N", to="NOUN"), operation="free", who="lan")
    store.add([Document("Lan đi", id="d1", words=[(0, 3), (4, 6)], tags={"pos": ["NOUN", "V"]})], who="import")
    with pytest.raises(SchemaError, match="documents have tags"):
        preview(store, Rename(layer="pos", label="NOUN", to="N"))


def test_erasing_a_document_removes_its_part_of_the_event(filled):
    apply(filled, Rename(label="PERSON", to="NAME"), operation="op", who="lan")
    filled.erase(["d1"], who="lan")
    filled.undo("op", new_id="back", who="lan")
    assert found(filled, "d2") == {(*LAN, "PERSON", "accepted"), (*LAN, "DATE", "accepted")}


def test_many_documents_are_changed_in_batches(store):
    store.add((document(f"d{i}", [(LAN, "PERSON")], text=f"Lan {i}") for i in range(1001)), who="import")
    assert apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan").documents == 1001
    assert store.counts().labels == {"NAME": {"accepted": 1001, "suggested": 0, "rejected": 0}}
    store.undo("op", new_id="back", who="lan")
    assert store.counts().labels == {"PERSON": {"accepted": 1001, "suggested": 0, "rejected": 0}}


@pytest.mark.parametrize(
    "data",
    [
        {"kind": ["add"], "label": "X"},
        {"kind": {}, "label": "X"},
        {"kind": "add", "label": "X", "description": "\ud800"},
        {"kind": "rename", "label": "PERSON", "to": "\udfff"},
        {"kind": "split", "label": "PERSON", "into": ["A", "B"], "assign": {"\ud800": "A"}},
        {"kind": "merge", "labels": ["PERSON", 7], "into": "DATE"},
    ],
)
def test_a_change_of_wrong_types_or_halves_of_characters_is_refused(data):
    with pytest.raises(SchemaError):
        change_from_dict(data)
