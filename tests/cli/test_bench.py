from __future__ import annotations

import json
import sys

import pytest

from viner.cli import main


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Lan ở Hà Nội.\nMinh từ Huế đến Paris\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _base_install_and_few_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("viner.measure.ceilings.RUNS", 3)


def test_it_prints_ceilings_stages_and_the_distance(tiny_model, notes, capsys):
    assert main(["bench", str(tiny_model), "--texts", str(notes)]) == 0
    out = capsys.readouterr().out
    assert "2 documents, 10 words" in out
    for line in ("MatMulInteger u8 × s8", "decoding", "products beyond that", "of the int8 ceiling", "p99"):
        assert line in out


def test_as_json_it_is_one_object(tiny_model, notes, capsys):
    assert main(["bench", str(tiny_model), "--texts", str(notes), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["engine"] == "int8"
    assert set(data["ceilings"]) == {"int8", "fp32"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["./no-such-model"], 1, "no such model folder"),
        (["MODEL", "--engine", "int4"], 2, "unknown engine 'int4'"),
        (["MODEL", "--provider", "abacus"], 2, "unknown provider 'abacus'"),
        (["MODEL", "--engine", "fp32"], 1, "holds its int8 graph only"),
        (["MODEL", "--texts", "missing.txt"], 1, "missing.txt"),
        (["MODEL", "--texts", "EMPTY"], 1, "no word"),
    ],
)
def test_what_cannot_be_measured_is_one_clear_error(tiny_model, tmp_path, capsys, monkeypatch, arguments, status, said):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    (tmp_path / "blank.txt").write_text("\n\n", encoding="utf-8")
    names = {"MODEL": str(tiny_model), "EMPTY": str(tmp_path / "blank.txt")}
    assert main(["bench", *(names.get(word, word) for word in arguments)]) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
