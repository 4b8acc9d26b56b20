from __future__ import annotations

import json

import pytest

import viner.bundle
from viner import Schema
from viner.bundle import Bundle, BundleInfo, Head, Windows
from viner.cli import main


@pytest.fixture
def whole(monkeypatch):
    """Every folder with a viner.json is a model of one type, in order."""
    info = BundleInfo(
        schema=Schema.of_entities(["NAME"]),
        heads=(Head.softmax_bio("entities", ("NAME",)),),
        windows=Windows(512, 64),
        engine="int8",
        metrics={"test": {"micro": {"f1": 0.9279}}},
    )
    monkeypatch.setattr(viner.bundle, "read_bundle", lambda path: Bundle(path, info))


def make(folder, text="{}"):
    folder.mkdir(parents=True)
    (folder / "viner.json").write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("whole")
def test_models_of_a_project_are_listed_with_their_figures(tmp_path, capsys):
    make(tmp_path / "models" / "001")
    make(tmp_path / "models" / "002")
    assert main(["models", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0][-3:] for line in lines] == ["001", "002"]
    assert lines[0].endswith("int8  1 types  test F1 0.9279")


@pytest.mark.usefixtures("whole")
def test_a_model_itself_is_described_for_scripts(tmp_path, capsys):
    make(tmp_path / "model")
    assert main(["models", str(tmp_path / "model"), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["models"]
    assert (row["engine"], row["error"]) == ("int8", None)
    assert row["schema"]["layers"][0]["types"] == [{"name": "NAME"}]


def test_a_damaged_model_is_named_and_fails(tmp_path, capsys):
    make(tmp_path / "001", '{"bundle": 99, "viner": "9.9"}')
    assert main(["models", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "001" in out
    assert "pip install -U viner" in out


def test_a_folder_without_models_says_how_to_get_one(tmp_path, capsys):
    assert main(["models", str(tmp_path)]) == 1
    assert "viner train" in capsys.readouterr().err
