"""Rules in viner.toml follow their labels, and go back where a change is undone."""

from __future__ import annotations

import tomllib

import pytest

from viner.annotation.changes import Add, Delete, Describe, Merge, Rename, Split, apply
from viner.annotation.label_map import followers_since
from viner.annotation.sync import sync, try_write_back, write_back
from viner.document import Document, Entity
from viner.errors import VinerError
from viner.project import Project
from viner.store import Store

TOML = """\
name = "Trips"  # ours

[[rules.dictionaries]]
label = 'TOWN'  # of the province
terms = [
    "Huế",  # first
]

[store]
url = "sqlite:///viner.db"

[[rules.patterns]]
pattern = 'BN\\d+'
label = "CASE"
recognize = "over"

[[rules.patterns]]
label = "TOWN"
pattern = "Ward \\\\d+"
recognize = "under"

# The labels were agreed on in May.
[[schema.layers]]
name = "entities"
kind = "entities"
types = ["PERSON", "TOWN", "CASE", "VILLAGE"]

[[schema.layers]]
name = "topic"
kind = "labels"
types = ["CASE", "NEWS"]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    (tmp_path / "viner.toml").write_text(TOML, encoding="utf-8")
    return Project(tmp_path)


@pytest.fixture
def store(project):
    with Store.of_project(project) as opened:
        opened.add([Document("Huế", id="d1", entities=[Entity(0, 3, "TOWN")])], who="import")
        sync(project, opened)
        yield opened


@pytest.fixture
def change(store, project):
    """Makes changes one after the other, each written to the file; returns the operation of the last."""
    made = []

    def make(*changes, written=True):
        for item in changes:
            made.append(item)
            apply(store, item, operation=f"op{len(made)}", who="lan", project=project if written else None)
        return f"op{len(made)}"

    return make


@pytest.fixture
def undo(store, project):
    """Takes an operation back and returns how many rules followed."""

    def take_back(operation, new_id="back", *, written=True):
        store.undo(operation, new_id=new_id, who="lan", labels_since=followers_since)
        return write_back(store, project) if written else None

    return take_back


def read(project):
    return (project.path / "viner.toml").read_text(encoding="utf-8")


def labels(project):
    rules = tomllib.loads(read(project))["rules"]
    return [rule["label"] for kind in ("dictionaries", "patterns") for rule in rules.get(kind, ())]


def edit(project, old, new):
    text = read(project)
    assert old in text
    (project.path / "viner.toml").write_text(text.replace(old, new), encoding="utf-8")


def test_a_renamed_label_takes_its_rules_along_and_nothing_else_in_the_file_moves(project, store, change):
    change(Rename(label="TOWN", to='PL"ACE'))
    text = read(project)
    assert labels(project) == ['PL"ACE', "CASE", 'PL"ACE']
    before, after = (part.split("# The labels were agreed on in May.")[0].splitlines() for part in (TOML, text))
    differ = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert differ == [
        ("label = 'TOWN'  # of the province", 'label = "PL\\"ACE"  # of the province'),
        ('label = "TOWN"', 'label = "PL\\"ACE"'),
    ]
    assert project.settings().patterns[1].label == 'PL"ACE'
    assert sync(project, store) == "same"


def test_undone_the_file_is_what_it_was(project, change, undo):
    change(Describe(label="TOWN", description="Towns"))  # the schema as viner writes it
    before = tomllib.loads(read(project))
    operation = change(Rename(label="TOWN", to="PLACE"))
    assert undo(operation) == 2
    assert tomllib.loads(read(project)) == before
    assert undo("back", "again") == 2
    assert labels(project) == ["PLACE", "CASE", "PLACE"]
    assert undo("again", "back again") == 2
    assert labels(project) == ["TOWN", "CASE", "TOWN"]


@pytest.mark.parametrize("into", ["VILLAGE", "TOWN", "PLACE"])
def test_merged_labels_come_apart_again_rule_by_rule(project, change, undo, into):
    edit(project, 'label = "TOWN"', 'label = "VILLAGE"')
    operation = change(Merge(labels=("TOWN", "VILLAGE"), into=into))
    assert labels(project) == [into, "CASE", into]
    edit(project, 'recognize = "under"', 'recognize = "over"  # meanwhile')
    undo(operation)
    assert labels(project) == ["TOWN", "CASE", "VILLAGE"]
    assert undo("back", "again") == (2 if into == "PLACE" else 1)
    assert labels(project) == [into, "CASE", into]
    undo("again", "back again")
    assert labels(project) == ["TOWN", "CASE", "VILLAGE"]


def test_a_rule_that_was_written_after_a_merge_stays_with_what_it_was_written_for(project, change, undo):
    operation = change(Merge(labels=("TOWN", "VILLAGE"), into="VILLAGE"))
    edit(project, "[store]", '[[rules.dictionaries]]\nlabel = "VILLAGE"\nterms = ["Sa Pa"]\n\n[store]')
    undo(operation)
    assert labels(project) == ["TOWN", "VILLAGE", "CASE", "TOWN"]


def test_equal_rules_of_merged_labels_are_both_there_afterwards(project, change, undo):
    edit(project, "[store]", "[[rules.dictionaries]]\nlabel = 'VILLAGE'\nterms = ['Huế']\n\n[store]")
    undo(change(Merge(labels=("TOWN", "VILLAGE"), into="VILLAGE")))
    assert sorted(labels(project)[:2]) == ["TOWN", "VILLAGE"]


def test_deleted_and_split_labels_leave_their_rules_as_they_are(project, change, undo):
    deleted = change(Delete(label="CASE"))
    split = change(Split(label="TOWN", into=("BIG", "SMALL")))
    assert labels(project) == ["TOWN", "CASE", "TOWN"]
    edit(project, "label = 'TOWN'", "label = 'BIG'")  # somebody says which it is
    assert undo(split) == 1
    assert undo(deleted, "back again") == 0
    assert labels(project) == ["TOWN", "CASE", "TOWN"]


def test_a_label_of_another_layer_is_another_label(project, change):
    change(Rename(layer="topic", label="CASE", to="CASES"))
    assert labels(project) == ["TOWN", "CASE", "TOWN"]


def test_rules_follow_when_a_lost_write_is_made_up_for(project, store, change, undo):
    change(Rename(label="TOWN", to="PLACE"), Rename(label="CASE", to="ID"), written=False)  # killed before the file was written
    last = change(Merge(labels=("PLACE", "VILLAGE"), into="SPOT"), written=False)
    assert labels(project) == ["TOWN", "CASE", "TOWN"]
    assert sync(project, store) == "written"
    assert labels(project) == ["SPOT", "ID", "SPOT"]
    undo(last, written=False)
    assert sync(project, store) == "written"
    assert labels(project) == ["PLACE", "ID", "PLACE"]


def test_what_was_done_and_undone_without_the_file_leaves_it_alone(project, store, change, undo):
    before = read(project)
    undo(change(Merge(labels=("TOWN", "VILLAGE"), into="VILLAGE"), written=False), written=False)
    assert sync(project, store) == "same"
    assert read(project) == before


def test_where_the_file_cannot_be_written_rules_and_schema_stay_together(project, store, change, monkeypatch):
    def fail(path, text):
        raise VinerError("no space left", where=path)

    operation = change(Merge(labels=("TOWN", "VILLAGE"), into="VILLAGE"), written=False)
    with monkeypatch.context() as patch:
        patch.setattr("viner.project.toml.write_text", fail)
        done = try_write_back(store, project)
    assert (done.rules, "no space left" in str(done.problem)) == (0, True)
    assert read(project) == TOML
    assert try_write_back(store, project).rules == 2
    store.undo(operation, new_id="back", who="lan")
    assert try_write_back(store, project).rules == 2
    assert labels(project) == ["TOWN", "CASE", "TOWN"]


def test_a_crash_right_after_the_file_was_written_can_be_undone(project, store, change, undo, monkeypatch):
    operation = change(Merge(labels=("TOWN", "VILLAGE"), into="VILLAGE"), written=False)
    with monkeypatch.context() as patch:
        written = Project.write_schema

        def crash(*args):
            written(*args)
            raise KeyboardInterrupt

        patch.setattr(Project, "write_schema", crash)
        with pytest.raises(KeyboardInterrupt):
            write_back(store, project)
    assert labels(project) == ["VILLAGE", "CASE", "VILLAGE"]
    assert sync(project, store) == "same"
    undo(operation)
    assert labels(project) == ["TOWN", "CASE", "TOWN"]


def test_rules_follow_although_somebody_took_the_schema_out_of_the_file(project, store, change):
    (project.path / "viner.toml").write_text(TOML.split("# The labels were")[0], encoding="utf-8")
    change(Rename(label="TOWN", to="PLACE"))
    assert labels(project) == ["PLACE", "CASE", "PLACE"]
    assert project.schema() == store.schema()[0]


def test_the_name_of_an_old_label_may_be_given_again(project, change):
    change(Rename(label="TOWN", to="PLACE"), Add(label="TOWN"))
    edit(project, "[store]", "[[rules.dictionaries]]\nlabel = 'TOWN'\nterms = ['Vinh']\n\n[store]")
    change(Describe(label="TOWN", description="Only towns"), Rename(label="PLACE", to="SPOT"))
    assert labels(project) == ["SPOT", "TOWN", "CASE", "SPOT"]


@pytest.mark.parametrize(
    "rules",
    [
        "[rules]\nrecognize = 'under'\n",
        "rules = 3\n",
        "[rules]\ndictionaries = 'x'\npatterns = [1, {label = 2}, {pattern = 'y'}]\n",
        "rules = {patterns = [{label = 'CASE', pattern = 'x'}]}\n",
        "rules.patterns = [\n  {label = 'CASE', pattern = 'x'},  # one\n]\n",
    ],
)
def test_rules_of_any_form_do_not_stop_a_change(project, store, change, rules):
    (project.path / "viner.toml").write_bytes(
        (rules + "\n[[schema" + TOML.partition("[[schema")[2]).replace("\n", "\r\n").encode()
    )
    change(Rename(label="CASE", to="ID"))
    assert project.schema() == store.schema()[0]
    assert ("'CASE'" in rules) == ('label = "ID"' in read(project))
    if "# one" in rules:
        assert "  # one\n" in read(project)
