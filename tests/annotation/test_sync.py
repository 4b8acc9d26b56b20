"""viner.toml and the store: who moved when they differ."""

import pytest

from support.stores import operation
from viner.annotation.changes import Add, Delete, Rename, apply
from viner.annotation.sync import sync
from viner.document import Document, Entity
from viner.errors import SchemaError, VinerError
from viner.project import Project
from viner.store import Store
from viner.store.preferences import write_setting

TOML = """\
name = "Notices"

# The labels were agreed on in May.
[[schema.layers]]
name = "entities"
kind = "entities"
types = [{name = "PERSON", description = "People"}, "PLACE"]
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "viner.toml").write_text(TOML, encoding="utf-8")
    return Project(tmp_path)


@pytest.fixture
def store(project):
    with Store.of_project(project) as opened:
        opened.add([Document("Lan", id="d1", entities=[Entity(0, 3, "PERSON")])], who="import")
        sync(project, opened)
        yield opened


def edit(project, old, new):
    file = project.path / "viner.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def names(project):
    return project.schema()["entities"].names


def test_in_step_nothing_happens(project, store):
    before = (project.path / "viner.toml").read_bytes()
    assert sync(project, store) == "same"
    assert (project.path / "viner.toml").read_bytes() == before
    assert store.schema()[1] == 1


def test_a_change_reaches_the_file_and_leaves_its_comments(project, store):
    apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan", project=project)
    assert names(project) == ("NAME", "PLACE")
    assert "agreed on in May" in (project.path / "viner.toml").read_text(encoding="utf-8")
    assert sync(project, store) == "same"


def test_a_change_that_did_not_reach_the_file_is_written_at_the_next_opening(project, store):
    apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan")  # killed before the file was written
    assert names(project) == ("PERSON", "PLACE")
    assert sync(project, store) == "written"
    assert names(project) == ("NAME", "PLACE")
    assert store.schema()[1] == 2


def test_a_file_that_cannot_be_written_is_written_later(project, store, monkeypatch):
    def fail(*args):
        raise VinerError("read-only")

    with monkeypatch.context() as patch:
        patch.setattr("viner.project.toml.write_text", fail)
        with pytest.raises(VinerError, match="read-only"):
            apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan", project=project)
    assert names(project) == ("PERSON", "PLACE")
    assert store.get("d1").entities[0].label == "NAME"
    assert sync(project, store) == "written"
    assert names(project) == ("NAME", "PLACE")


def test_taking_a_change_back_reaches_the_file_at_the_next_opening(project, store):
    apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan", project=project)
    store.undo("op", new_id="back", who="lan")
    assert sync(project, store) == "written"
    assert names(project) == ("PERSON", "PLACE")


def test_what_a_person_wrote_is_taken_over_as_an_event(project, store):
    edit(project, '"PLACE"]', '{name = "AGE", color = "#102030"}, "PLACE"]')
    edit(project, '"People"', '"People by name"')
    assert sync(project, store) == "read"
    schema, version = store.schema()
    assert schema == project.schema()
    assert version == 2
    assert sync(project, store) == "same"
    apply(store, Delete(label="AGE"), operation="op", who="lan", project=project)
    assert names(project) == ("PERSON", "PLACE")


def test_a_label_that_nobody_used_may_go_from_the_file(project, store):
    edit(project, ', "PLACE"]', "]")
    assert sync(project, store) == "read"
    assert store.schema()[0]["entities"].names == ("PERSON",)


def test_a_label_in_use_may_not_and_the_message_says_what_to_do(project, store):
    edit(project, '"PERSON"', '"NAME"')
    with pytest.raises(SchemaError, match="'PERSON' is no longer in the schema, but 1 annotations have it") as caught:
        sync(project, store)
    assert caught.value.where == str(project.path / "viner.toml")
    assert "Write it back" in caught.value.hint
    assert "Schema page" in caught.value.hint
    assert store.schema()[1] == 1
    assert store.get("d1").entities[0].label == "PERSON"


def test_a_layer_in_use_keeps_its_kind(project, store):
    edit(project, 'kind = "entities"', 'kind = "labels"')
    with pytest.raises(SchemaError, match="changed to labels, but 1 annotations are entities"):
        sync(project, store)


def test_an_edit_on_top_of_a_lost_write_is_not_mistaken_for_a_removal_that_was_meant(project, store):
    apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan")
    edit(project, '"PLACE"]', '"PLACE", "AGE"]')
    with pytest.raises(SchemaError, match="'NAME' is no longer in the schema"):
        sync(project, store)
    assert store.get("d1").entities[0].label == "NAME"


def test_a_file_without_schema_gets_that_of_the_store(project, store):
    file = project.path / "viner.toml"
    file.write_text('name = "Notices"\n', encoding="utf-8")
    assert sync(project, store) == "written"
    assert names(project) == ("PERSON", "PLACE")


def test_labels_that_came_with_an_import_reach_the_file(project, store):
    store.add([Document("Huế", id="d2", entities=[Entity(0, 3, "CITY")])], who="import", new_labels="add")
    assert sync(project, store) == "written"
    assert names(project) == ("PERSON", "PLACE", "CITY")
    apply(store, Add(label="AGE"), operation="op", who="lan", project=project)
    assert names(project)[-1] == "AGE"


@pytest.fixture
def copy(project, tmp_path_factory):
    """Another folder with the files of the project as they are, such as a Space that starts again as it was published."""

    def make():
        folder = tmp_path_factory.mktemp("copy")
        (folder / "viner.toml").write_bytes((project.path / "viner.toml").read_bytes())
        return Project(folder)

    return make


@pytest.mark.parametrize("change", [Rename(label="PERSON", to="NAME"), Add(label="AGE"), Delete(label="PLACE")])
def test_copies_of_the_folder_on_one_database_are_behind_and_no_edits(project, store, copy, change):
    home, space, later = copy(), copy(), copy()
    assert sync(home, store) == "same"
    apply(store, change, operation="op", who="lan", project=space)
    now = store.schema()
    for folder in (project, home, later):
        assert sync(folder, store) == "written"
        assert folder.schema() == now[0]
    assert store.schema() == now


def test_an_edit_that_goes_back_to_an_earlier_schema_is_one(project, store):
    apply(store, Add(label="AGE"), operation="op", who="lan", project=project)
    written = (project.path / "viner.toml").read_text(encoding="utf-8")
    assert "AGE" in written
    (project.path / "viner.toml").write_text(TOML, encoding="utf-8")
    assert sync(project, store) == "read"
    assert store.schema()[0].entity_labels == ("PERSON", "PLACE")


@pytest.mark.parametrize("known", [True, False])
def test_a_write_that_was_killed_at_any_moment_is_made_up_for(project, store, monkeypatch, known):
    if not known:
        (project.path / ".schema-synced").unlink()
    for moment in range(2):
        with monkeypatch.context() as patch:
            kept = Project.write_schema

            def killed(*args, kept=kept, moment=moment):
                if moment:
                    kept(*args)
                raise KeyboardInterrupt

            patch.setattr(Project, "write_schema", killed)
            with pytest.raises(KeyboardInterrupt):
                apply(store, Add(label=f"NEW{moment}"), operation=f"op{moment}", who="lan", project=project)
        apply(store, Add(label=f"LATER{moment}"), operation=f"later{moment}", who="lan")
        assert sync(project, store) == "written"
    assert names(project) == ("PERSON", "PLACE", "NEW0", "LATER0", "NEW1", "LATER1")


def test_a_layer_of_which_documents_have_several_classes_keeps_taking_them(project, store):
    labels = {"topic": ["health", "travel"]}
    store.add([Document("x", id="d2", labels=labels)], who="import", new_labels="add")
    sync(project, store)
    edit(project, "multiple = true", "multiple = false")
    with pytest.raises(SchemaError, match="takes one class now, but 1 documents have several"):
        sync(project, store)
    store.save(operation("d2", 1, labels={"topic": ("health",)}, schema=store.schema()[1]), who="lan")
    assert sync(project, store) == "read"
    assert not store.schema()[0]["topic"].multiple


def test_a_project_of_an_earlier_version_keeps_what_a_person_wrote_before_the_update(project, store, copy):
    """What was in step stood in the store then, once for all copies of the folder."""
    file, memory = project.path / "viner.toml", project.path / ".schema-synced"
    apply(store, Add(label="AGE"), operation="op", who="lan", project=project)
    synced = memory.read_text(encoding="ascii").strip()
    memory.unlink()
    with store.transaction() as transaction:
        write_setting(transaction.connection, "schema.synced", synced)
    file.write_text(TOML, encoding="utf-8")
    assert sync(project, store) == "read"
    assert store.schema()[0].entity_labels == ("PERSON", "PLACE")
    assert store.setting("schema.synced") is None
    assert memory.is_file()


def test_a_copy_of_an_earlier_version_is_behind_where_annotations_have_left_its_labels(project, store):
    memory = project.path / ".schema-synced"
    apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan", project=project)
    synced = memory.read_text(encoding="ascii").strip()
    memory.unlink()
    with store.transaction() as transaction:
        write_setting(transaction.connection, "schema.synced", synced)
    (project.path / "viner.toml").write_text(TOML, encoding="utf-8")
    assert sync(project, store) == "written"
    assert names(project) == ("NAME", "PLACE")
