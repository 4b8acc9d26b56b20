"""`viner evaluate` in depth and `viner compare`, on a tiny model."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from types import SimpleNamespace

import pytest

import viner
from viner import Document, Entity, Schema
from viner.cli import main
from viner.formats import read
from viner.workflow.fingerprint import fingerprint


class Finder:
    """A recognizer that finds one name."""

    labels = ("LOC",)
    schema = Schema.of_entities(labels)

    def __init__(self, wanted):
        self.wanted = wanted

    def stream(self, documents, *, unanswered=None):
        for document in documents:
            start = document.text.find(self.wanted)
            found = [Entity(start, start + len(self.wanted), "LOC", score=0.9, source="model")] if start >= 0 else []
            yield document.with_(entities=found, words=document.words or [(0, len(document.text))])


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder of two models, and what each name finds; whatever is loaded finds "Huế" unless its name ends with 2."""
    for name in ("1", "2"):
        (tmp_path / "recipe" / name).mkdir(parents=True)
        (tmp_path / "recipe" / name / "viner.json").touch()
    monkeypatch.setattr(viner, "load", lambda name, **options: Finder("Lan" if name.endswith("2") else "Huế"))
    return tmp_path / "recipe"


@pytest.fixture
def gold(tmp_path):
    file = tmp_path / "test.jsonl"
    documents = [Document(f"ra Huế {i}", id=f"d{i}", entities=[Entity(3, 6, "LOC")]) for i in range(12)]
    file.write_text(
        "".join(json.dumps(document.to_dict(), ensure_ascii=False) + "\n" for document in documents), encoding="utf-8"
    )
    return file


def test_evaluate_tells_modes_lengths_documents_and_what_was_seen(models, gold, capsys):
    assert main(["evaluate", "m", str(gold), "--train", str(gold)]) == 0
    out = capsys.readouterr().out
    for part in ("95 % interval: 1.0000 to 1.0000", "| strict ", "| words ", "| seen ", "12 of 12 documents have no error."):
        assert part in out
    assert all(len(line) <= 100 for line in out.splitlines() if line.startswith("|"))


def test_evaluate_gives_scripts_every_document(models, gold, capsys):
    assert main(["evaluate", "2", str(gold), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["by_document"][3] == {"number": 4, "id": "d3", "support": 1, "predicted": 0, "correct": 0, "f1": 0.0}
    assert figures["modes"]["type"]["missed"] == 12
    assert figures["interval"] == {"low": 0.0, "high": 0.0, "level": 0.95}
    assert figures["surfaces"] == {}


def test_a_training_file_without_entities_is_named(models, gold, tmp_path, capsys):
    (tmp_path / "plain.txt").write_text("ra Huế\n", encoding="utf-8")
    assert main(["evaluate", "m", str(gold), "--train", str(tmp_path / "plain.txt")]) == 1
    assert "plain.txt: no annotated entity" in capsys.readouterr().err


def test_compare_says_how_far_two_models_are_apart_and_whether_it_is_luck(models, gold, capsys):
    assert main(["compare", "old2", "new", str(gold)]) == 0
    out = capsys.readouterr().out
    assert "new instead of old2: micro F1 +1.0000, 95 % interval +1.0000 to +1.0000, p = 0.001." in out
    assert out.rstrip().splitlines()[-1].split() == "| LOC | 0.0000 | 1.0000 | +1.0000 | 12 |".split()
    assert main(["compare", "old2", "new", str(gold), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["documents"] == 12
    assert [system["micro_f1"]["mean"] for system in figures["systems"]] == [0.0, 1.0]
    assert figures["comparisons"][0]["delta"] == 1.0


def test_a_folder_of_models_is_one_recipe(models, gold, capsys):
    assert main(["compare", str(models), str(gold)]) == 0
    assert " 0.5000 ± 0.7071 |" in capsys.readouterr().out


def test_one_model_is_a_usage_error(models, gold, capsys):
    assert main(["compare", "m", str(gold)]) == 2
    assert "cannot be compared" in capsys.readouterr().err


@pytest.fixture
def answers(gold):
    """Another tool's answers, half of them right, in another order."""
    file = gold.with_name("other.jsonl")
    lines = [Document(f"ra Huế {i}", entities=[Entity(3, 6, "LOC")] if i % 2 else []).to_json() for i in reversed(range(12))]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_answers_of_another_tool_are_scored_and_compared(models, gold, answers, capsys):
    assert main(["evaluate", str(answers), str(gold), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["micro"]["recall"], figures["micro"]["precision"]) == (0.5, 1.0)
    assert main(["evaluate", "m", str(gold), "--against", str(answers)]) == 0
    assert "0 repaired, 6 broken" in capsys.readouterr().out
    assert main(["compare", "m", str(answers), str(gold)]) == 0
    assert f"{answers} instead of m: micro F1 -0.3333" in capsys.readouterr().out
    assert main(["compare", "m", str(answers), str(gold), "--rules", str(gold)]) == 0  # they are the model's


def test_answers_that_belong_to_no_document_are_told(models, gold, answers, capsys):
    lines = gold.read_text(encoding="utf-8").splitlines()
    gold.write_text("\n".join(lines[:10]), encoding="utf-8")
    assert main(["evaluate", str(answers), str(gold)]) == 0
    assert "2 answers belong to no document of " in capsys.readouterr().err
    assert main(["compare", "m", str(answers), str(gold)]) == 0
    assert "2 answers belong to no document of " in capsys.readouterr().err
    assert main(["evaluate", "m", str(gold), "--against", str(answers)]) == 0
    assert "2 answers belong to no document of " in capsys.readouterr().err
    gold.write_text("\n".join(lines), encoding="utf-8")
    assert main(["evaluate", str(answers), str(gold)]) == 0
    assert "no document of" not in capsys.readouterr().err


def test_labels_of_any_form_stay_in_their_cells(models, gold, capsys):
    label = "a|b\n" + "é" * 300
    gold.write_text(Document("ra Huế", entities=[Entity(3, 6, label), Entity(0, 2, "LOC")]).to_json(), encoding="utf-8")
    assert main(["evaluate", "m", str(gold)]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert all(len(row) < 140 for row in rows)
    assert rows[0].count("|") == rows[2].count("|") == rows[3].count("|") == 8


def test_a_pipe_with_a_name_is_read_once_as_well(models, gold, capsys, tmp_path):
    """As ``<(zcat test.jsonl.gz)`` is one."""
    os.mkfifo(pipe := tmp_path / "pipe.jsonl")
    writer = threading.Thread(target=lambda: pipe.write_bytes(gold.read_bytes()), daemon=True)
    writer.start()
    assert main(["compare", "1", "2", str(pipe)]) == 0
    piped = capsys.readouterr().out
    writer.join(10)
    assert main(["compare", "1", "2", str(gold)]) == 0
    assert capsys.readouterr().out == piped
    assert main(["evaluate", "m", str(pipe), "--stress"]) == 2
    assert "can be read once" in capsys.readouterr().err


def test_what_cannot_end_well_is_refused_at_the_start(models, gold, capsys, tmp_path):
    (tmp_path / "page.html").mkdir()
    assert main(["evaluate", "m", str(gold), "--report", str(tmp_path / "page.html")]) == 1
    assert "this is a folder" in capsys.readouterr().err
    assert main(["evaluate", "m", "-", "--train", "-"]) == 2
    assert "stdin can be read once" in capsys.readouterr().err


def test_what_is_piped_in_is_read_once_for_all_models(models, gold, capsys, monkeypatch):
    assert main(["compare", "1", "2", str(gold)]) == 0
    named = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gold.read_bytes())))
    assert main(["compare", "1", "2", "-"]) == 0
    assert capsys.readouterr().out == named


def test_one_document_has_no_interval(models, gold, capsys):
    gold.write_text(gold.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    assert main(["compare", "1", "2", str(gold)]) == 0
    out = capsys.readouterr().out
    assert "one document" in out
    assert "interval +" not in out
    assert "interval -" not in out
    assert main(["evaluate", "1", str(gold)]) == 0
    assert "interval" not in capsys.readouterr().out


def test_answers_know_no_rules_and_no_changed_texts(models, gold, answers, capsys):
    assert main(["evaluate", str(answers), str(gold), "--rules", str(gold)]) == 2
    assert "rules go with a model" in capsys.readouterr().err
    assert main(["evaluate", str(answers), str(gold), "--stress"]) == 2
    assert "--stress asks a model" in capsys.readouterr().err


def test_labels_that_a_system_does_not_know_are_told(models, gold, capsys):
    gold.write_text(Document("ra Huế", entities=[Entity(3, 6, "PLACE")]).to_json(), encoding="utf-8")
    assert main(["compare", "old2", "new", str(gold)]) == 0
    assert "PLACE, the type of 1 gold entity, is none of those that new answers with." in capsys.readouterr().out


def test_a_report_is_a_page(models, gold, capsys):
    assert main(["evaluate", "m", str(gold), "--report", str(gold.with_name("errors.txt"))]) == 2
    assert "--report errors.html" in capsys.readouterr().err


def test_compare_leaves_out_of_each_model_what_somebody_asks(models, gold, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(viner, "load", lambda name, **options: asked.append(options["least_score"]) or Finder("Huế"))
    assert main(["compare", "a1", "b1", str(gold), "--least-score", "0.8"]) == 0
    assert asked == [0.8, 0.8]
    assert "without entities of the model whose score is below 0.8" in capsys.readouterr().out
    assert main(["compare", "a1", "b1", str(gold), "--least-score", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["least_score"] == 0
    assert main(["compare", "a1", str(gold), str(gold), "--least-score", "0.8"]) == 2
    assert "--least-score goes with models" in capsys.readouterr().err


def test_rules_that_answer_are_told_for_each(models, gold, capsys, tmp_path, monkeypatch):
    def load(name, **options):
        finder = Finder("Huế")
        if name == "b1":
            finder.rules = type("Rules", (), {"file": "covid/viner.toml"})
        return finder

    monkeypatch.setattr(viner, "load", load)
    assert main(["compare", "a1", "b1", str(gold)]) == 0
    out = capsys.readouterr().out
    assert "b1 was scored with the rules of covid/viner.toml." in out
    assert "a1 was scored" not in out
    assert main(["compare", "a1", "b1", str(gold), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rules"] == {"b1": "covid/viner.toml"}
    assert main(["evaluate", "a1", str(gold), "--against", "b1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["against"]["rules"] == "covid/viner.toml"
    assert main(["evaluate", "a1", str(gold), "--against", "b1"]) == 0
    assert "b1 was scored with the rules of covid/viner.toml." in capsys.readouterr().out


def test_a_difference_on_one_document_is_not_tested(models, tmp_path, capsys):
    one = tmp_path / "one.jsonl"
    one.write_text(json.dumps(Document("ra Huế", entities=[Entity(3, 6, "LOC")]).to_dict()) + "\n", encoding="utf-8")
    assert main(["compare", "a1", "b2", str(one)]) == 0
    out = capsys.readouterr().out
    assert "Not tested: it is one document." in out
    assert "p = " not in out


class Told(Finder):
    """A model that says what it has learned."""

    def __init__(self, data):
        super().__init__("Huế")
        self.info = SimpleNamespace(data=data)


@pytest.mark.parametrize(("part", "refit"), [("train", False), ("train_and_dev", False), ("dev", True)])
def test_a_model_that_has_learned_what_is_scored_is_told(models, gold, monkeypatch, capsys, part, refit):
    learned = {part: fingerprint(read(gold)), **({"refit": True} if refit else {})}
    monkeypatch.setattr(viner, "load", lambda name, **_: Told(learned if name.startswith("old") else {}))
    warning = f"Warning: old has learned the documents of {gold}; in others it finds less\n"
    assert main(["evaluate", "old", str(gold)]) == 0
    assert capsys.readouterr().err.endswith(warning)
    assert main(["evaluate", "old", str(gold), "--stress", "upper,lower"]) == 0
    assert capsys.readouterr().err.count(warning) == 1
    for command in (["evaluate", "new", str(gold), "--against", "old"], ["compare", "new", "old", str(gold)]):
        assert main(command) == 0
        told = capsys.readouterr().err
        assert told.count("Warning:") == told.count(warning) == 1


def test_a_model_that_dev_has_chosen_only_is_not_told(models, gold, monkeypatch, capsys):
    monkeypatch.setattr(
        viner, "load", lambda name, **_: Told({"dev": fingerprint(read(gold)), "test": fingerprint(read(gold))})
    )
    assert main(["evaluate", "m", str(gold)]) == 0
    assert "Warning" not in capsys.readouterr().err


def test_documents_without_annotations_are_not_what_it_learned(models, gold, monkeypatch, capsys):
    learned = fingerprint(read(gold))
    with gold.open("a", encoding="utf-8") as file:
        file.write('{"text": "nobody looked at this"}\n')
    monkeypatch.setattr(viner, "load", lambda name, **_: Told({"train": learned}))
    assert main(["evaluate", "m", str(gold)]) == 0
    assert "m has learned the documents" in capsys.readouterr().err


def test_answers_may_come_through_a_pipe(gold, capsys, tmp_path, monkeypatch):
    os.mkfifo(pipe := tmp_path / "answers")
    writer = threading.Thread(target=lambda: pipe.write_bytes(gold.read_bytes()), daemon=True)
    writer.start()
    assert main(["evaluate", str(pipe), str(gold)]) == 0
    assert "1.0000" in capsys.readouterr().out
    writer.join(10)
    for command in (["evaluate", "-", "-"], ["evaluate", "-", str(gold), "--against", "-"], ["compare", "-", "-", str(gold)]):
        assert main(command) == 2
        assert "stdin can be read once" in capsys.readouterr().err


def test_a_name_that_begins_with_a_tilde_is_no_user(gold, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "~$gold.jsonl"
    odd.write_bytes(gold.read_bytes())
    assert main(["evaluate", odd.name, str(gold)]) == 0
    assert main(["evaluate", odd.name, str(gold), "--report", "~no-such-user.html"]) == 0
    assert (tmp_path / "~no-such-user.html").is_file()
    assert main(["predict", "~no-such-user", odd.name]) == 1
    assert "no such model folder" in capsys.readouterr().err
