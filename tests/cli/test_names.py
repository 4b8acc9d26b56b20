"""Files whose names are not UTF-8: bytes of another encoding, which no text can hold."""

from __future__ import annotations

import json
import os
import sys

import pytest

from viner.formats import read

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such names")

ODD = os.fsdecode(b"n\xe4me")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"{ODD}.txt").write_text("Lan ở Huế\n", encoding="utf-8")
    (tmp_path / "in" / f"{ODD}.jsonl").write_text('{"text": "Minh"}\n{\n', encoding="utf-8")
    return tmp_path


def test_ids_have_a_replacement_character(folder):
    assert [document.id for document in read(folder / "in" / f"{ODD}.txt")] == ["n\N{REPLACEMENT CHARACTER}me:1"]


def test_a_run_takes_them_as_inputs_output_and_errors(run, tiny_model, folder):
    status, out, err = run("predict", tiny_model, "in", "-o", f"o{ODD}.jsonl", "--errors", f"e{ODD}.jsonl", "--json")
    assert status == 0, err
    assert json.loads(out)["out"] == f"o{ODD}.jsonl"
    documents = [json.loads(line) for line in (folder / f"o{ODD}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(document["text"] for document in documents) == ["Lan ở Huế", "Minh"]
    (error,) = [json.loads(line) for line in (folder / f"e{ODD}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert error["file"] == "in/n\N{REPLACEMENT CHARACTER}me.jsonl"


def test_a_run_that_stopped_says_which_of_them_changed(run, tiny_model, folder, monkeypatch):
    monkeypatch.setattr("viner.bulk.job.SMALLEST_BLOCK", 1)
    (folder / "in" / "a.txt").write_text("Nam\n" * 3, encoding="utf-8")
    assert run("predict", tiny_model, "in", "-o", "out.jsonl")[0] == 1
    (folder / "in" / f"{ODD}.jsonl").write_text('{"text": "Minh"}\n', encoding="utf-8")
    status, _, err = run("predict", tiny_model, "in", "-o", "out.jsonl")
    assert status == 0, err
    assert ".jsonl changed" in err
    documents = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [document["text"] for document in documents] == ["Nam", "Nam", "Nam", "Minh", "Lan ở Huế"]


def test_names_that_differ_only_in_what_no_text_holds_are_told_apart(run, project, exported, folder):
    for name in (b"k\xe4.txt", b"k\xe5.txt", b"q.\xe4"):
        (folder / os.fsdecode(name)).write_text("Lan\n", encoding="utf-8")
    status, _, err = run("import", *(os.fsdecode(name) for name in (b"k\xe4.txt", b"k\xe5.txt", b"q.\xe4")), "-p", project)
    assert status == 0, err
    assert len({document["id"] for document in exported(project)}) == 3


def test_pages_and_projects_have_such_names(run, tiny_model, folder):
    gold = folder / f"{ODD}.inline"
    gold.write_text("[Lan](PERSON) ở Huế\n", encoding="utf-8")
    status, _, err = run("evaluate", tiny_model, gold, "--report", "r.html")
    assert status == 0, err
    status, _, err = run("init", ODD, "--language", "vi", "--types", "A")
    assert status == 0, err


def test_projects_take_them(run, project, folder):
    status, out, err = run("import", "in", "--project", project)
    assert status == 1
    assert f"{os.fsencode(ODD).decode(errors='replace')}.jsonl:2" in err
    (folder / "in" / f"{ODD}.jsonl").unlink()
    status, out, err = run("import", "in", "--project", project)
    assert (status, "1 documents" in out) == (0, True), err


def test_a_training_refuses_such_a_folder_before_it_begins(run, folder):
    (folder / "train.inline").write_text("[Lan](PERSON)\n", encoding="utf-8")
    status, _, err = run("train", "--train", "train.inline", "--out", ODD)
    assert (status, "is not UTF-8" in err) == (1, True)
    assert not list(folder.glob("n*.training"))
