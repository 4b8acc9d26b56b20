"""The example on sentences made here, in the layout of the data set: not a word of the real one is in this repository."""

import hashlib
import importlib.util

import pytest

from support.bases import tiny_base, toy_documents
from support.commands import ROOT
from viner.text import split_words
from viner.workflow import choose

QUICK = ["--epochs", "1", "--precision", "fp32", "--learning-rate", "3e-3"]


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("phoner_covid19", ROOT / "examples" / "phoner_covid19" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository(tmp_path, example):
    """A folder like the data set's repository: a token and a tag a line, segments with underscores in the second level."""
    folder = tmp_path / "repository"
    for name in example.SHA256:
        joined = "/word/" in name
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = 1 if "train" in name else 2
        sentences = (tagged(document, joined) for document in toy_documents(30, seed))
        path.write_text("\n\n".join("\n".join(rows) for rows in sentences) + "\n\n", encoding="utf-8")
    return folder


def tagged(document, joined):
    place = {}
    for entity in document.entities:
        inside = [span for span in split_words(document.text) if entity.start <= span[0] and span[1] <= entity.end]
        place |= {span: f"{'I' if index else 'B'}-{entity.label}" for index, span in enumerate(inside)}
    rows = []
    for span in split_words(document.text):
        token, tag = document.text[slice(*span)], place.get(span, "O")
        if joined and tag.startswith("I-"):
            rows[-1] = rows[-1].replace(" ", f"_{token} ")
        else:
            rows.append(f"{token} {tag}")
    return rows


def test_from_a_copy_to_model_table_and_errors(tmp_path, repository, example, monkeypatch, capfd):
    for name in ("SENTENCES", "_CANARIES", "_CALIBRATION"):
        monkeypatch.setattr(choose, name, 5)
    out, base = tmp_path / "out", tiny_base(tmp_path / "base", layers=1)
    given = ["--data", str(repository), "--out", str(out), "--base", str(base), *QUICK]
    assert example.main(given) == 0
    results = (out / "results.md").read_text(encoding="utf-8")
    shown = capfd.readouterr().out
    for line in (
        "$ viner train --train",
        f"$ viner evaluate {out / 'model'}",
        "| **micro**",
        "| **macro**",
        "| PERSON",
        "| LOCATION",
    ):
        assert line in results
        assert line in shown
    assert "PERSON" in (out / "errors.html").read_text(encoding="utf-8")
    assert (out / ".gitignore").read_text() == "*\n"
    assert example.main(given) == 1
    assert "exists already" in capfd.readouterr().err


def test_what_is_fetched_is_checked_and_kept(tmp_path, repository, example, monkeypatch, capsys):
    monkeypatch.setattr(example, "SOURCE", repository.as_uri())
    with pytest.raises(example.InputError, match="SHA-256"):
        example.get_files(None, tmp_path / "out", "word", accepted=True)
    assert not list((tmp_path / "out").rglob("*.conll*"))
    hashes = {name: hashlib.sha256((repository / name).read_bytes()).hexdigest() for name in example.SHA256}
    monkeypatch.setattr(example, "SHA256", hashes)
    files = example.get_files(None, tmp_path / "out", "word", accepted=True)
    assert [path.name for path in files.values()] == ["train_word.conll", "dev_word.conll", "test_word.conll"]
    assert "Hà_Nội B-LOCATION" in files["train"].read_text(encoding="utf-8")
    assert "research or educational purposes only" in capsys.readouterr().out
    monkeypatch.setattr(example, "SOURCE", "file:///nowhere")
    assert example.get_files(None, tmp_path / "out", "word", accepted=False) == files


@pytest.mark.parametrize("answer", [None, "no", ""])
def test_without_consent_nothing_is_fetched(tmp_path, example, monkeypatch, answer, capsys):
    monkeypatch.setattr(example.sys.stdin, "isatty", lambda: answer is not None, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    assert example.main(["--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "to not distribute" in said.out
    assert ("--accept-license" in said.err) == (answer is None)
    assert not (tmp_path / "out").exists()


def test_a_copy_that_lacks_a_file_is_named(tmp_path, example, capsys):
    assert example.main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "train_syllable.conll: no such file" in capsys.readouterr().err
