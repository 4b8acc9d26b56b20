from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace

import pytest

from support.bases import toy_documents, with_other_weights
from viner.cli.main import main
from viner.document import Document, Entity
from viner.errors import InputError, UsageError, VinerError
from viner.formats import read, write
from viner.workflow import Report, choose, doubts
from viner.workflow.doubts import find_doubts, remove_models

CHOICES = {
    "epochs": 20,
    "learning_rate": 4e-3,
    "head_multiplier": 3.0,
    "layer_decay": 1.0,  # a random encoder knows nothing that its lower layers could forget
    "batch_pieces": 200,
    "patience": 20,
    "precision": "fp32",
}


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch):
    monkeypatch.setattr(choose, "SENTENCES", 60)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A task that the tiny base learns, with the first entity of some documents under the other label, and which those are."""
    folder = tmp_path_factory.mktemp("planted")
    documents = [document for document in toy_documents(220, seed=1) if document.entities]
    wrong = documents[10::40]
    names = {document.id for document in wrong}
    other = {"PERSON": "LOCATION", "LOCATION": "PERSON"}

    def spoiled(document):
        first, *rest = document.entities
        return document.with_(entities=[replace(first, label=other[first.label]), *rest])

    spoiled_documents = [spoiled(document) if document.id in names else document for document in documents]
    write(spoiled_documents, folder / "train.jsonl")
    return folder / "train.jsonl", {(document.id, document.entities[0].start) for document in wrong}


def test_planted_errors_come_first_and_a_killed_run_goes_on(tmp_path, base, planted, monkeypatch):
    file, wrong = planted
    work = tmp_path / "work"
    options = {"folds": 2, "base": base, **CHOICES}

    trained = []

    def counted(**given):
        trained.append(given["out"])
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train(**given)

    train = doubts.train_model
    monkeypatch.setattr(doubts, "train_model", counted)
    with pytest.raises(KeyboardInterrupt):
        find_doubts(file, work, report=Report(io.StringIO()), **options)
    found = find_doubts(file, work, report=Report(io.StringIO()), **options)
    assert len(trained) == 3  # the first fold was not trained again
    assert found.f1 > 0.85
    first = {(doubt.excerpt.document, doubt.pair.start) for doubt in found.doubts[: len(wrong)]}
    assert len(first & wrong) >= len(wrong) / 2  # one entity in two hundred is wrong
    assert (found.documents, found.folds) == (len(list(read(file))), 2)
    again = find_doubts(file, work, report=Report(io.StringIO()), **options)
    assert len(trained) == 3  # models stay until what they found is kept
    assert again == found
    remove_models(work)
    assert not work.exists()


@pytest.fixture
def untrained(monkeypatch, tiny_model):
    """What the trainings were asked for; instead of one there is a model that knows a few names."""
    asked = []

    def train_model(**options):
        asked.append(options)
        options["out"].symlink_to(tiny_model, target_is_directory=True)

    monkeypatch.setattr(doubts, "train_model", train_model)
    return asked


@pytest.fixture
def notes(tmp_path):
    """Six documents, of which two are annotated otherwise than the tiny model knows."""
    lines = ["Lan/PERSON nghỉ", "Minh/PERSON nghỉ", "Huế/LOCATION xa", "Paris/LOCATION xa", "Nam/LOCATION về", "Lan về"]
    rows = []
    for line in lines:
        words = [word.partition("/") for word in line.split()]
        rows += [f"{word}\t{'B-' + label if label else 'O'}" for word, _, label in words] + [""]
    (tmp_path / "notes.conll").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "notes.conll"


def test_the_command_writes_lines_with_places_and_tells_the_most_doubtful(notes, untrained, capsys):
    out = notes.with_name("doubts.jsonl")
    assert main(["doubts", str(notes), "--out", str(out), "--folds", "3", "--epochs", "2", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {(line["line"], line["predicted"]["text"], line["predicted"]["label"]) for line in lines} == {
        (13, "Nam", "PERSON"),
        (16, "Lan", "PERSON"),
    }
    assert "'Nam' LOCATION → PERSON" in said
    assert "'Lan' no entity → PERSON" in said
    assert "1 of 5 annotated entities are doubtful, and 1 more may be missing." in said
    assert "their F1 is 0.7273." in said
    assert [options["epochs"] for options in untrained] == [2, 2, 2]
    assert all("base" not in options for options in untrained)


def test_doubts_that_cannot_be_written_are_found_again_without_a_training(notes, untrained, capsys, monkeypatch):
    def full(path):
        raise VinerError("cannot be written: No space left on device", where=path)

    out = notes.with_name("doubts.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr("viner.formats.files.replacing", full)
        assert main(["doubts", str(notes), "--out", str(out), "--folds", "3"]) == 1
    assert len(untrained) == 3
    assert main(["doubts", str(notes), "--out", str(out), "--folds", "3"]) == 0
    assert len(untrained) == 3
    assert out.is_file()
    assert not out.with_name("doubts.jsonl.folds").exists()


def test_fold_models_of_another_base_are_not_gone_on_with(notes, untrained, base, tmp_path):
    """Under the same name may come to lie another base."""
    own = tmp_path / "base"
    shutil.copytree(base, own)
    choices = {"folds": 2, "base": str(own), "report": Report(io.StringIO())}
    find_doubts(notes, tmp_path / "work", **choices)
    find_doubts(notes, tmp_path / "work", **choices)
    assert len(untrained) == 2
    with_other_weights(own, tmp_path / "other")
    shutil.rmtree(own)
    (tmp_path / "other").rename(own)
    find_doubts(notes, tmp_path / "work", **choices)
    assert len(untrained) == 4


def test_files_of_others_in_the_working_folder_stay(notes, untrained, tmp_path):
    find_doubts(notes, tmp_path / "work", folds=3, report=Report(io.StringIO()))
    (tmp_path / "work" / "mine.txt").write_text("mine", encoding="utf-8")
    remove_models(tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["mine.txt"]


def test_the_command_writes_a_page_and_json(notes, untrained, capsys):
    out = notes.with_name("doubts.html")
    assert main(["doubts", str(notes), "--out", str(out), "--folds", "3", "--seed", "1", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["documents"], data["entities"], data["folds"], len(data["doubts"])) == (6, 5, 3, 2)
    assert "Annotations that are probably wrong" in out.read_text(encoding="utf-8")


def test_models_that_know_too_little_to_judge_are_told_of(notes, untrained, tmp_path):
    rows = "".join(f"{name}\tB-PERSON\nvề\tO\n\n" for name in ("Bình", "Thu", "Hoa", "Cúc"))
    notes.write_text(rows, encoding="utf-8")
    found = find_doubts(notes, tmp_path / "work", folds=2, report=Report(io.StringIO()))
    assert found.f1 == 0.0
    assert "too little to trust their doubts" in found.summary()


def test_every_model_learns_from_what_it_does_not_judge(notes, untrained, tmp_path, monkeypatch):
    files = {}
    monkeypatch.setattr(doubts, "write", lambda documents, path: files.update({path: [item.text for item in documents]}))
    find_doubts(notes, tmp_path / "work", folds=3, report=Report(io.StringIO()))
    texts = {document.text for document in read(notes)}
    folds = {path.parent for path in files}
    left_out = [texts.difference(files[fold / "train.jsonl"], files[fold / "dev.jsonl"]) for fold in folds]
    assert sorted(text for fold in left_out for text in fold) == sorted(texts)


def test_a_type_that_only_chose_the_epoch_was_not_learned(tmp_path, untrained, monkeypatch):
    rows = [f"{name}\tB-{'RARE' if name == 'Lan' else 'PERSON'}\nvề\tO\n\n" for name in ("Bình", "Thu", "Lan", "Minh")]
    file = tmp_path / "rare.conll"
    file.write_text("".join(rows), encoding="utf-8")
    asked, tuned = [], []
    kept = doubts.set_aside

    def watched(documents, seed, *, where):
        found = kept(documents, seed, where=where)
        tuned.append({entity.label for document in found[1] for entity in document.entities})
        asked.append({entity.label for document in found[0] for entity in document.entities})
        return found

    judged = []
    monkeypatch.setattr(doubts, "set_aside", watched)
    monkeypatch.setattr(doubts, "doubtful", lambda documents: judged.extend(documents) or [])
    for seed in range(6):
        find_doubts(file, tmp_path / "work", folds=2, seed=seed, report=Report(io.StringIO()))
    assert {"RARE"} in tuned, "some tenth holds all of a type"
    assert {item.learned for item in judged} == {frozenset(labels) for labels in asked}


def test_what_cannot_be_is_said_before_anything_is_trained(notes, untrained, tmp_path):
    with pytest.raises(UsageError, match="6 different texts cannot be divided into 7 folds"):
        find_doubts(notes, tmp_path / "work", folds=7)
    (tmp_path / "plain.txt").write_text("Lan\nMinh\n", encoding="utf-8")
    with pytest.raises(InputError, match="no annotated entity"):
        find_doubts(tmp_path / "plain.txt", tmp_path / "work")
    few = [Document(f"Lan số {i}", entities=[Entity(0, 3, "PERSON")] if i < 2 else []) for i in range(12)]
    write(few, tmp_path / "few.jsonl")
    with pytest.raises(InputError, match=r"without the documents of fold [12], too few of the documents have") as caught:
        find_doubts(tmp_path / "few.jsonl", tmp_path / "work", folds=2, report=Report(io.StringIO()))
    assert "--dev" not in (caught.value.hint or "--dev")
    assert main(["doubts", str(notes), "--out", str(tmp_path / "doubts.pdf")]) == 2
    (tmp_path / "doubts.html").mkdir()
    assert main(["doubts", str(notes), "--out", str(tmp_path / "doubts.html")]) == 2
    assert untrained == []
