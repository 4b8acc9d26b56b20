from __future__ import annotations

import io
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


@pytest.fixture
def versions(tmp_path):
    """A project with five models."""
    (tmp_path / "viner.toml").touch()
    for number in range(1, 6):
        make(tmp_path / "models" / f"{number:03d}")
    return tmp_path


@pytest.mark.usefixtures("whole")
def test_another_model_is_made_the_active_one(versions, capsys):
    assert main(["models", str(versions), "--activate", "002"]) == 0
    assert viner.Project(versions).active_model().name == "002"
    capsys.readouterr()
    assert main(["models", str(versions)]) == 0
    assert [line.split(":")[0][-3:] for line in capsys.readouterr().out.splitlines() if line.endswith("active")] == ["002"]
    assert main(["models", str(versions), "--activate", "9"]) == 1
    assert "001, 002, 003" in capsys.readouterr().err


def test_a_damaged_model_is_not_made_the_active_one(versions, capsys):
    assert main(["models", str(versions), "--activate", "002"]) == 1
    assert "002" in capsys.readouterr().err
    assert not (versions / "models" / "active").exists()


@pytest.mark.usefixtures("whole")
def test_pruning_keeps_the_newest_and_the_active(versions, capsys):
    assert main(["models", str(versions), "--activate", "001"]) == 0
    for name in ("001", "002"):
        (versions / "runs" / name).mkdir(parents=True)
    (versions / "runs" / "comparisons").mkdir()
    (versions / "runs" / "comparisons" / "002.json").touch()
    assert main(["models", "prune", "--keep", "2", str(versions), "--yes"]) == 0
    assert sorted(str(path.relative_to(versions / "runs")) for path in (versions / "runs").rglob("*")) == ["001", "comparisons"]
    assert sorted(path.name for path in (versions / "models").iterdir()) == ["001", "004", "005", "active"]


@pytest.mark.parametrize(
    "args", [["prune", "."], ["prune", ".", "--activate", "1"], [".", "--keep", "3"], ["a", "b"], ["prune", ".", "--keep", "0"]]
)
def test_models_are_not_removed_by_a_wrong_call(versions, args, monkeypatch, capsys):
    monkeypatch.chdir(versions)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["models", *args]) == 2
    assert len(viner.Project(versions).models()) == 5
