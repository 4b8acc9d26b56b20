"""An output never takes the place of what the command reads."""

from __future__ import annotations

import shutil

import pytest

KEY = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path, monkeypatch, tiny_model):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VINER_REDACT_KEY", raising=False)
    shutil.copytree(tiny_model, tmp_path / "model")
    (tmp_path / "gold.jsonl").write_text('{"text": "Lan ở Huế", "entities": []}\n', encoding="utf-8")
    (tmp_path / "rules.toml").write_text('[[rules.patterns]]\nlabel = "PERSON"\npattern = "Lan"\n', encoding="utf-8")
    (tmp_path / "key.txt").write_text(KEY, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("convert gold.jsonl ./gold.jsonl --to text", "gold.jsonl"),
        ("evaluate model gold.jsonl --report gold.jsonl", "gold.jsonl"),
        ("evaluate model gold.jsonl --stress lower --report gold.jsonl", "gold.jsonl"),
        ("evaluate model gold.jsonl --report model/README.md", "model/README.md"),
        ("predict model gold.jsonl --out model/viner.json --to jsonl", "model/viner.json"),
        ("predict model gold.jsonl --out new.jsonl --errors rules.toml --rules rules.toml", "rules.toml"),
        ("redact model gold.jsonl --by pseudonym --key-file key.txt --out key.txt --to text", "key.txt"),
        ("redact model gold.jsonl --by pseudonym --key-file key.txt --out new.jsonl --errors key.txt", "key.txt"),
        ("doubts gold.jsonl --out gold.jsonl", "gold.jsonl"),
    ],
)
def test_nothing_that_is_read_is_written(folder, run, command, told):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    status, _, err = run(*command.split())
    assert status == 2, err
    assert err.startswith(f"error: {told}: "), err
    assert "Name another output" in err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["viner.db", "viner.toml"])
def test_a_project_is_not_overwritten_by_its_own_export(project, run, name):
    status, _, err = run("export", "--project", project, project / name, "--to", "jsonl")
    assert status == 2, err
    assert name in err
    assert run("export", "--project", project, project / "all.jsonl")[0] == 0


@pytest.mark.parametrize("name", ["viner.db", "viner.toml"])
def test_nor_by_what_its_model_finds(project, run, name, tmp_path):
    (tmp_path / "a.txt").write_text("Lan ở Huế\n", encoding="utf-8")
    before = (project / name).read_bytes()
    status, _, err = run("predict", project, tmp_path / "a.txt", "--out", project / name, "--to", "jsonl")
    assert (status, "would write it" in err) == (2, True), err
    assert (project / name).read_bytes() == before


@pytest.mark.parametrize("content", ["", " \n\n"])
def test_an_empty_key_is_too_short(folder, run, content, monkeypatch):
    (folder / "key.txt").write_text(content, encoding="utf-8")
    status, _, err = run("redact", "model", "gold.jsonl", "--by", "pseudonym", "--key-file", "key.txt", "--to", "text")
    assert (status, "at least 16 bytes, not 0" in err) == (2, True), err
    monkeypatch.setenv("VINER_REDACT_KEY", "   ")
    status, _, err = run("redact", "model", "gold.jsonl", "--by", "pseudonym", "--to", "text")
    assert (status, "at least 16 bytes, not 0" in err) == (2, True), err
