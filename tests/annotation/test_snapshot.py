"""What a training gets of a store."""

import random

import pytest

from support.stores import operation
from viner.annotation import snapshot as module
from viner.annotation.changes import Rename, Split, apply
from viner.annotation.snapshot import NoTextsError, snapshot
from viner.corpus import REVIEWED
from viner.document import Document, Entity
from viner.errors import InputError
from viner.formats import read
from viner.store import StoredEntity

LAN = Entity(0, 3, "PERSON")


def done(name, entities=(LAN,), **fields):
    return Document(f"Lan {name}", id=name, entities=list(entities), **fields)


def started(name, entities=(LAN,), reviewed=((0, 3),)):
    return done(name, entities, meta={REVIEWED: [list(span) for span in reviewed], "from": "tests"})


def untouched(name):
    return Document(f"Lan {name}", id=name, suggestions=[LAN])


def fill(store, **splits):
    for split, documents in splits.items():
        store.add(documents, who="import", split=split)


def ids(snap, split):
    return [document.id for document in read(snap.files[split])]


def test_train_gets_what_is_done_or_started_and_the_others_what_is_done(store, tmp_path):
    fill(
        store,
        train=[done("a"), started("b"), done("c", []), untouched("d")],
        dev=[done("e"), done("f", []), done("g"), started("h"), untouched("i")],
        test=[done("j"), started("k")],
    )
    snap = snapshot(store, tmp_path)
    assert {split: ids(snap, split) for split in snap.files} == {
        "train": ["a", "b", "c"],
        "dev": ["e", "f", "g"],
        "test": ["j"],
    }
    assert snap.documents == {
        "train": {"done": 2, "started": 1},
        "dev": {"done": 3, "started": 0},
        "test": {"done": 1, "started": 0},
    }
    assert snap.entities == {"train": 2, "dev": 2, "test": 1}
    assert snap.left_out == ("train: 1 documents that nobody began and 0 skipped ones",)
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix == ".jsonl") == [
        "dev.jsonl",
        "test.jsonl",
        "train.jsonl",
    ]


def test_what_a_person_decided_is_said_and_suggestions_stay_out(store, tmp_path):
    fill(store, train=[done("a"), done("z"), started("b")])
    version = store.get("b").version
    rejected = StoredEntity("r", 4, 5, "LOCATION", "rejected")
    waiting = StoredEntity("s", 4, 5, "DATE", "suggested", 0.7)
    store.save(operation("b", version, rejected, text="Lan b"), who="lan")
    first = snapshot(store, tmp_path)
    store.save(operation("a", 1, waiting, text="Lan a"), who="model 003")
    second = snapshot(store, tmp_path)
    found = {document.id: document for document in read(second.files["train"])}
    assert found["b"].meta[REVIEWED] == [[0, 3], [4, 5]]
    assert found["b"].meta["from"] == "tests"
    assert REVIEWED not in found["a"].meta
    assert all(document.suggestions is None for document in found.values())
    assert first.fingerprint == second.fingerprint


def test_the_fingerprint_follows_what_is_taught(store, tmp_path):
    fill(store, train=[done("a"), done("b")])
    first = snapshot(store, tmp_path).fingerprint
    store.save(operation("a", 1, delete=(store.get("a").entities[0].id,)), who="lan")
    store.save(operation("a", 2, StoredEntity("n", 0, 3, "DATE"), text="Lan a"), who="lan")
    assert snapshot(store, tmp_path).fingerprint != first


@pytest.mark.parametrize(
    ("dev", "reason"),
    [
        ([], "dev: only 0 done documents, fewer than 3"),
        ([done("e"), done("f"), started("g")], "dev: only 2 done documents, fewer than 3"),
        ([done("e", []), done("f", []), done("g", [])], "dev: no entity in its 3 done documents"),
    ],
)
def test_a_dev_set_that_says_nothing_is_left_out_aloud(store, tmp_path, dev, reason):
    fill(store, train=[done("a"), done("b")], dev=dev, test=[done("t", [])])
    snap = snapshot(store, tmp_path)
    assert list(snap.files) == ["train"]
    assert snap.left_out == (
        f"{reason}; a tenth of the done documents of train is used instead",
        "test: no entity in its 1 done documents",
    )
    assert not (tmp_path / "dev.jsonl").exists()


DEV = [done("e"), done("f"), done("g")]


@pytest.mark.parametrize(
    ("train", "dev", "message", "hint"),
    [
        ([], DEV, "0 documents of train have entities", "Annotate 2 more documents"),
        ([done("a"), done("b", [])], DEV, "1 documents of train have entities", "Annotate 1 more document"),
        ([untouched("a"), untouched("b")], DEV, "0 documents of train", "Annotate 2 more documents"),
        ([started("a"), started("b")], DEV, "where there is no entity", "Finish 1 more document,"),
        ([done("a"), started("b")], [], "to set one aside", "Finish 1 more document,"),
        ([started("a"), started("b")], [], "to set one aside", "Finish 2 more documents,"),
    ],
)
def test_too_little_to_learn_from_is_said_with_what_is_missing(store, tmp_path, train, dev, message, hint):
    fill(store, train=train, dev=dev)
    with pytest.raises(InputError, match=message) as caught:
        snapshot(store, tmp_path)
    assert hint in caught.value.hint
    assert not list(tmp_path.glob("*.jsonl"))


def test_started_documents_teach_once_one_is_done(store, tmp_path):
    fill(store, train=[started("a"), started("b"), done("c", [])], dev=DEV)
    assert snapshot(store, tmp_path).documents["train"] == {"done": 1, "started": 2}


def test_texts_that_nobody_began_are_written_bare_where_they_are_asked_for(store, tmp_path):
    skipped = done("skipped", [])
    fill(store, train=[done("a"), done("b"), started("c"), untouched("d"), untouched("e"), skipped], dev=[untouched("f")])
    store.save(operation("skipped", store.get("skipped").version, status="skipped"), who="lan")
    snap = snapshot(store, tmp_path, texts=True)
    assert list(snap.files) == ["train", "unlabeled"]
    texts = list(read(snap.files["unlabeled"]))
    assert sorted(document.id for document in texts) == ["d", "e"]
    assert all(document.entities is None and document.suggestions is None for document in texts)
    assert (snap.texts, snap.to_dict()["texts"]) == (2, 2)
    assert "train: 0 documents that nobody began and 1 skipped ones" in snap.left_out
    assert list(snap.documents) == list(snap.entities) == ["train"]
    assert snapshot(store, tmp_path).fingerprint != snap.fingerprint


def test_of_many_texts_some_are_drawn_whatever_their_order(store, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_LEAST_CHARACTERS", 10)
    fill(store, train=[done("a"), done("b")])  # ten characters, so forty at most
    names = [f"{number:02d}" * (1 + number % 3) for number in range(40)]
    fill(store, train=[untouched(name) for name in names])
    first = snapshot(store, tmp_path, texts=True)
    drawn = {document.text for document in read(first.files["unlabeled"])}
    assert 20 < sum(map(len, drawn)) <= 40
    assert f"train: {40 - len(drawn)} documents that nobody began and 0 skipped ones" in first.left_out
    for seed in range(5):
        store.erase(names, who="lan")
        random.Random(seed).shuffle(names)
        fill(store, train=[untouched(name) for name in names])
        again = snapshot(store, tmp_path, texts=True)
        assert {document.text for document in read(again.files["unlabeled"])} == drawn
        assert again.fingerprint == first.fingerprint


def test_a_text_that_is_annotated_elsewhere_is_not_drawn(store, tmp_path):
    fill(store, train=[done("a"), done("b"), Document("Lan a", id="again"), untouched("new")], dev=DEV)
    fill(store, train=[Document("Lan new", id="twice")])
    snap = snapshot(store, tmp_path, texts=True)
    assert [document.text for document in read(snap.files["unlabeled"])] == ["Lan new"]


def test_no_text_that_nobody_began_is_an_error_and_leaves_no_file(store, tmp_path):
    fill(store, train=[done("a"), done("b")], dev=[*DEV, untouched("u")])
    with pytest.raises(NoTextsError, match="no document of train that nobody began"):
        snapshot(store, tmp_path, texts=True)
    assert not list(tmp_path.glob("*.jsonl"))


def test_what_must_be_reviewed_after_a_split_is_not_taught_as_decided(store, tmp_path):
    fill(store, train=[done("a"), done("c"), started("b", reviewed=((0, 3), (4, 5)))], dev=DEV)
    apply(store, Split(label="PERSON", into=("WOMAN", "MAN"), assign={}), operation="op", who="lan")
    assert store.get("b").entities[0].state == "suggested"
    store.undo("op", new_id="back", who="lan")
    fill(store, train=[Document("Nam d", id="d", entities=[LAN]), Document("Nam e", id="e2", entities=[LAN])])
    apply(store, Split(label="PERSON", into=("WOMAN", "MAN"), assign={"Nam": "MAN"}), operation="op2", who="lan")
    found = {document.id: document for document in read(snapshot(store, tmp_path).files["train"])}
    assert found["b"].meta[REVIEWED] == [[4, 5]]
    assert found["a"].meta[REVIEWED] == []
    assert REVIEWED not in found["d"].meta


def test_a_label_renamed_meanwhile_is_in_no_file_of_the_training(store, tmp_path, monkeypatch):
    fill(store, train=[done("a"), done("b")], dev=DEV, test=[done("t")])
    kept = module.write
    renamed = []

    def write(documents, path, *args):
        kept(documents, path, *args)
        if not renamed:
            renamed.append(apply(store, Rename(label="PERSON", to="NAME"), operation="op", who="lan"))

    monkeypatch.setattr(module, "write", write)
    snap = snapshot(store, tmp_path)
    assert set(snap.files) == {"train", "dev", "test"}
    assert {e.label for file in snap.files.values() for d in read(file) for e in d.entities} == {"PERSON"}
    assert ("PERSON" in snap.schema.entity_labels, snap.schema_version) == (True, store.schema()[1] - 1)
    assert "PERSON" not in store.schema()[0].entity_labels
