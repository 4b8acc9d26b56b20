"""``viner engine``: what it says, and what it refuses."""

from __future__ import annotations

import json

import pytest

from support.tiny import tiny_bundle
from viner.bundle import read_bundle
from viner.document import Document, Entity
from viner.formats import read, write
from viner.project import Project
from viner.workflow.fingerprint import fingerprint


@pytest.fixture
def model(tmp_path):
    return tiny_bundle(tmp_path / "model", engine="fp32")


@pytest.fixture
def dev(tmp_path):
    write([Document("Lan ở Huế", entities=[Entity(0, 3, "PERSON"), Entity(6, 9, "LOCATION")])] * 20, tmp_path / "dev.jsonl")
    return tmp_path / "dev.jsonl"


def test_it_says_which_graph_a_model_runs(run, model):
    assert run("engine", model)[:2] == (0, f"{model} runs float32.\n")
    data = json.loads(run("engine", model, "--json")[1])
    assert data == {"engine": "fp32", "evidence": data["evidence"], "here": data["here"], "problem": None}
    assert data["here"] == {"engine": "fp32", "provider": "onnxruntime"}


def test_the_other_one_is_compared_and_taken(run, model, dev, tmp_path):
    status, out, err = run("engine", model, "int8", dev, "--dry-run")
    assert status == 0, err
    assert "Building the int8 graph" in err
    assert "(F1 " in out
    assert "Nothing was written (--dry-run)." in out
    status, out, err = run("engine", model, "int8", dev, "--out", tmp_path / "small")
    assert status == 0, err
    assert f"{tmp_path / 'small'} is {model} with int8." in out
    assert read_bundle(tmp_path / "small").info.engine == "int8"
    status, out, _ = run("engine", tmp_path / "small")
    assert out.startswith(f"{tmp_path / 'small'} runs int8.\nint8 gives ")
    assert "asked for is int8." in out
    assert run("evaluate", tmp_path / "small", dev)[0] == 0


def test_a_model_that_has_learned_the_documents_is_told(run, model, dev):
    data = json.loads((model / "viner.json").read_text(encoding="utf-8"))
    data["data"] = {"train": fingerprint(read(dev))}
    (model / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    status, out, err = run("engine", model, "int8", dev, "--dry-run")
    assert status == 0, err
    assert f"Warning: {model} has learned the documents of {dev}; in others it finds less, so F1 is not told" in err
    assert "F1" not in out


def test_a_project_goes_on_with_it(run, dev, tmp_path):
    project = Project(tmp_path / "covid")
    (project.path / "models").mkdir(parents=True)
    (project.path / "viner.toml").write_text("", encoding="utf-8")
    tiny_bundle(project.path / "models" / "001", engine="fp32")
    status, out, err = run("engine", project.path, "int8", dev)
    assert status == 0, err
    assert f"It recognizes from now on. Back: viner models {project.path} --activate 001" in out
    assert project.active_model().name == "002"
    data = json.loads(run("engine", project.path / "models" / "001", "int8", dev, "--json")[1])
    assert (data["previous"], data["engine"], data["activated"]) == ("fp32", "int8", False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["int8"], "FILE is missing"),
        (["--dry-run"], "go with an ENGINE"),
        (["fp32", "dev.jsonl", "--out", "other"], "runs fp32 already"),
        (["int8", "dev.jsonl"], "--out DIR"),
        (["int8", "dev.jsonl", "--out", "model"], "exists already"),
        (["int8", "nowhere.jsonl", "--out", "other"], "nowhere.jsonl"),
        (["int4", "dev.jsonl"], "'int4' is not one of"),
    ],
)
def test_what_it_refuses(run, model, dev, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, _, err = run("engine", model, *arguments)
    assert status in (1, 2)
    assert said in err
    assert not (tmp_path / "other").exists()
