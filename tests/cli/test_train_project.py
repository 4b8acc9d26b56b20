"""`viner train` on a project with a store is a run as the page starts it, in this process."""

from __future__ import annotations

import shutil

import pytest

from viner import Document, Entity
from viner.errors import InputError
from viner.studio.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("stdin")


@pytest.fixture
def worked(monkeypatch):
    """The runs that were to be done; each ends as if it had been stopped."""
    folders = []

    def work(folder):
        folders.append(folder)
        folder.update(state="stopped")
        return folder.path.parent.parent / "models" / folder.name

    monkeypatch.setattr("viner.studio.work.work", work)
    return folders


@pytest.fixture
def annotated(project, run, tmp_path):
    """A project with done documents in train."""
    lines = [
        Document(f"Lan {number} ra Huế", id=f"d{number}", entities=[Entity(0, 3, "PERSON")]).to_json() for number in range(6)
    ]
    (tmp_path / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert run("import", tmp_path / "gold.jsonl", "--project", project, "--split", "train")[0] == 0
    return project


def test_it_trains_on_what_is_annotated_and_goes_on_with_the_same_choices(annotated, run, worked):
    status, out, err = run("train", "--project", annotated, "--epochs", "2", "--json")
    assert status == 0, err
    assert str(annotated / "models" / "001") in out
    assert worked[0].read()["options"] == {"epochs": 2}
    assert (worked[0].path / "train.jsonl").is_file()
    status, _, err = run("train", "--project", annotated, "--epochs", "2")
    assert "Going on with run 001" in err
    assert [folder.name for folder in worked] == ["001", "001"]
    run("train", "--project", annotated, "--epochs", "3")
    assert [folder.name for folder in worked] == ["001", "001", "002"]
    assert isinstance(worked[2], RunFolder)


def test_a_run_that_failed_before_its_first_epoch_is_no_dead_end(annotated, run, tmp_path, monkeypatch):
    """What was annotated since may be what it lacked; the one that has a checkpoint goes on, unless another is asked for."""
    folders = []

    def work(folder):
        folders.append(folder.name)
        folder.update(state="failed")
        raise InputError("too few of the documents have entities")

    monkeypatch.setattr("viner.studio.work.work", work)
    for _ in range(2):
        assert "too few of the documents" in run("train", "--project", annotated)[2]
    assert folders == ["001", "002"]
    checkpoint = annotated / "models" / "002.training" / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert (
        "Going on with run 002, on what was annotated when it began (--anew begins another)"
        in run("train", "--project", annotated)[2]
    )
    run("train", "--project", annotated, "--anew")
    assert folders == ["001", "002", "002", "003"]
    status, _, err = run("train", "--train", tmp_path / "gold.jsonl", "--out", tmp_path / "m", "--anew")
    assert (status, "--anew is for a project" in err) == (2, True)


def test_a_run_that_distills_can_be_resumed_from_another_folder(annotated, run, worked, tiny_model, monkeypatch):
    monkeypatch.chdir(tiny_model.parent)
    status, _, err = run("train", "--project", annotated, "--distill-from", tiny_model.name, "--layers", "1")
    assert status == 0, err
    assert worked[0].read()["options"] == {"distill_from": str(tiny_model.resolve()), "layers": 1}
    run("train", "--project", annotated, "--distill-from", tiny_model, "--layers", "1")
    run("train", "--project", annotated, "--distill-from", "user/large")
    assert [folder.name for folder in worked] == ["001", "001", "002"]
    assert worked[2].read()["options"] == {"distill_from": "user/large"}


def test_a_run_from_a_base_of_ones_own_can_be_resumed_from_another_folder(annotated, run, worked, tmp_path, monkeypatch):
    (tmp_path / "bases" / "bert").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "bases")
    status, _, err = run("train", "--project", annotated, "--base", "bert")
    assert status == 0, err
    assert worked[0].read()["options"] == {"base": str((tmp_path / "bases" / "bert").resolve())}
    monkeypatch.chdir(tmp_path)
    run("train", "--project", annotated, "--base", "bases/bert")
    assert [folder.name for folder in worked] == ["001", "001"]
    run("train", "--project", annotated, "--base", "user/bert@main")
    assert worked[2].read()["options"] == {"base": "user/bert@main"}


def test_a_run_with_teachers_can_be_resumed_from_another_folder(annotated, run, worked, tiny_model, monkeypatch):
    monkeypatch.chdir(tiny_model.parent)
    texts = ["--unlabeled", "notes/*.txt"]
    status, _, err = run("train", "--project", annotated, "--teacher", tiny_model.name, "--teacher", "user/large", *texts)
    assert status == 0, err
    absolute = {"teacher": [str(tiny_model.resolve()), "user/large"], "unlabeled": [str(tiny_model.parent / "notes" / "*.txt")]}
    assert worked[0].read()["options"] == absolute
    run("train", "--project", annotated, "--teacher", tiny_model, "--teacher", "user/large", *texts)
    assert [folder.name for folder in worked] == ["001", "001"]


def test_a_run_learns_from_documents_that_nobody_began(annotated, run, worked, tiny_model, tmp_path):
    status, _, err = run("train", "--project", annotated, "--self-train")
    assert status == 1
    assert "there is no model yet" in err
    shutil.copytree(tiny_model, annotated / "models" / "001")
    status, _, err = run("train", "--project", annotated, "--self-train")
    assert status == 1
    assert "no document of train that nobody began" in err
    (tmp_path / "more.txt").write_text("Minh ra Vinh\n", encoding="utf-8")
    run("import", tmp_path / "more.txt", "--project", annotated, "--split", "train")
    status, _, err = run("train", "--project", annotated, "--self-train")
    assert status == 0, err
    assert worked[0].read()["options"] == {"self_train": True, "teacher": [str((annotated / "models" / "001").resolve())]}
    assert "Minh ra Vinh" in (worked[0].path / "unlabeled.jsonl").read_text(encoding="utf-8")
    assert "Going on with run" in run("train", "--project", annotated, "--self-train")[2]
    run("train", "--project", annotated)
    assert [folder.name for folder in worked] == [worked[0].name, worked[0].name, "003"]


def test_self_training_needs_a_store(run, worked, tmp_path):
    status, _, err = run("train", "--train", tmp_path / "a.conll", "--out", tmp_path / "m", "--self-train")
    assert status == 2
    assert "--teacher MODEL --unlabeled TEXTS" in err


def test_a_run_that_adapts_can_be_resumed_from_another_folder(annotated, run, worked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = ["--adapt", "notes/*.txt", "--adapt", tmp_path / "more.jsonl"]
    status, _, err = run("train", "--project", annotated, *texts, "--adapt-budget", "5")
    assert status == 0, err
    absolute = [str(tmp_path / "notes" / "*.txt"), str(tmp_path / "more.jsonl")]
    assert worked[0].read()["options"] == {"adapt": absolute, "adapt_budget_minutes": 5.0}
    run("train", "--project", annotated, *texts, "--adapt-budget", "5")
    assert [folder.name for folder in worked] == ["001", "001"]


def test_a_project_in_which_nothing_is_annotated_cannot_be_trained(project, run, worked):
    status, _, err = run("train", "--project", project)
    assert status == 1
    assert "hint:" in err
    assert worked == []


@pytest.mark.parametrize("option", [["--train", "a.conll"], ["--out", "m"], ["--option", "x=1"], ["--overwrite"]])
def test_files_do_not_go_with_a_store(annotated, run, worked, option):
    status, _, err = run("train", "--project", annotated, *option)
    assert status == 2
    assert option[0] in err
    assert worked == []
