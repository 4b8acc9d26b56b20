"""Where labels went, for models and pages that know an earlier schema."""

import pytest
from sqlalchemy import select

from support.stores import SCHEMA
from viner.annotation.changes import Add, Delete, Describe, Merge, Rename, Split, apply
from viner.annotation.label_map import label_map, mapping_since, schema_history
from viner.schema import Schema
from viner.store.following import Follower
from viner.store.tables import metadata

NAMES = ("PERSON", "LOCATION", "DATE")


@pytest.fixture
def change(store):
    """Makes changes one after the other."""
    made = []

    def make(*changes):
        for item in changes:
            made.append(item)
            apply(store, item, operation=f"op{len(made)}", who="lan")

    return make


def today(store, labels=NAMES):
    return {name: found.label for name, found in label_map(labels, schema_history(store)).items()}


def test_without_changes_labels_stay(store):
    assert today(store) == {name: name for name in NAMES}
    assert mapping_since(store, 1) == {name: name for name in NAMES}
    assert mapping_since(store, 99) == {}


def test_labels_are_followed_through_renames_and_merges(store, change):
    change(
        Rename(label="PERSON", to="NAME"),
        Describe(label="NAME", description="Who"),
        Rename(label="NAME", to="HUMAN"),
        Merge(labels=("LOCATION", "DATE"), into="WHERE_OR_WHEN"),
    )
    assert today(store) == {"PERSON": "HUMAN", "LOCATION": "WHERE_OR_WHEN", "DATE": "WHERE_OR_WHEN"}
    assert mapping_since(store, 1) == today(store)
    assert mapping_since(store, 2) == {"NAME": "HUMAN", "LOCATION": "WHERE_OR_WHEN", "DATE": "WHERE_OR_WHEN"}
    assert mapping_since(store, 5) == {"HUMAN": "HUMAN", "WHERE_OR_WHEN": "WHERE_OR_WHEN"}


def test_split_and_deleted_labels_have_no_follower_and_a_reason(store, change):
    change(Split(label="PERSON", into=("WOMAN", "MAN")), Delete(label="DATE"))
    assert label_map(SCHEMA, schema_history(store)) == {
        "PERSON": Follower(None, "it was split into WOMAN, MAN"),
        "LOCATION": Follower("LOCATION"),
        "DATE": Follower(None, "it was deleted"),
    }
    assert mapping_since(store, 1) == {"PERSON": None, "LOCATION": "LOCATION", "DATE": None}


def test_a_name_that_is_used_again_is_not_taken_for_the_old_one(store, change):
    change(Rename(label="PERSON", to="NAME"), Add(label="PERSON"))
    assert today(store) == {"PERSON": "NAME", "LOCATION": "LOCATION", "DATE": "DATE"}
    assert today(store, ["NAME", "LOCATION", "DATE", "PERSON"])["PERSON"] == "PERSON"


def test_what_was_taken_back_leads_back(store, change):
    change(Rename(label="PERSON", to="NAME"))
    store.undo("op1", new_id="back", who="lan")
    assert today(store) == {name: name for name in NAMES}
    assert mapping_since(store, 2) == {"NAME": "PERSON", "LOCATION": "LOCATION", "DATE": "DATE"}
    store.undo("back", new_id="again", who="lan")
    assert today(store)["PERSON"] == "NAME"
    assert mapping_since(store, 3)["PERSON"] == "NAME"


def test_a_merge_that_was_taken_back_leaves_no_single_follower(store, change):
    change(Merge(labels=("DATE",), into="PERSON"))
    store.undo("op1", new_id="back", who="lan")
    found = label_map(["PERSON", "LOCATION"], schema_history(store))
    assert found["PERSON"] == Follower(None, "it is PERSON, DATE again")
    assert today(store) == {name: name for name in NAMES}


def test_a_split_that_was_taken_back_leads_to_the_label_it_came_from(store, change):
    change(Split(label="PERSON", into=("WOMAN", "MAN")))
    store.undo("op1", new_id="back", who="lan")
    assert mapping_since(store, 2) == {"WOMAN": "PERSON", "MAN": "PERSON", "LOCATION": "LOCATION", "DATE": "DATE"}


def test_models_of_other_origin_are_followed_label_by_label(store, change):
    change(Rename(label="PERSON", to="NAME"))
    found = label_map(Schema.of_entities(["PERSON", "GENE"]), schema_history(store))
    assert found == {"PERSON": Follower("NAME"), "GENE": Follower(None, "the project never had it")}


def test_classes_of_documents_are_followed_in_their_own_layer(store, change):
    change(Rename(layer="mood", label="sad", to="blue"), Rename(label="PERSON", to="NAME"))
    assert mapping_since(store, 1, "mood") == {"calm": "calm", "urgent": "urgent", "sad": "blue"}
    assert mapping_since(store, 1)["PERSON"] == "NAME"


def test_the_surfaces_of_a_split_are_not_kept(store, change):
    change(Split(label="PERSON", into=("WOMAN", "MAN"), assign={"Bà Bí Mật": "WOMAN"}))
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            assert "Bí Mật" not in repr(connection.execute(select(table)).all())


def test_a_change_and_its_undoing_lead_every_earlier_label_to_itself(store, change):
    change(Merge(labels=("DATE",), into="PERSON"), Delete(label="LOCATION"))
    store.undo("op2", new_id="back2", who="lan")
    store.undo("op1", new_id="back1", who="lan")
    assert mapping_since(store, 1) == {name: name for name in NAMES}
    store.undo("back1", new_id="again1", who="lan")
    assert mapping_since(store, 1) == {"PERSON": "PERSON", "LOCATION": "LOCATION", "DATE": "PERSON"}
    assert mapping_since(store, 2) == {"PERSON": "PERSON", "LOCATION": "LOCATION"}
