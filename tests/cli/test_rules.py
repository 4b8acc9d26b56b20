"""``--rules`` and ``--no-rules``."""

from __future__ import annotations

import json

import pytest

from viner.document import Document, Entity
from viner.formats import write

RULES = """
[[rules.patterns]]
label = "ID"
pattern = 'BN\\d+'
recognize = "over"
"""
TEXT = "Lan (BN12) ở Huế"


@pytest.fixture
def rules(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text(RULES, encoding="utf-8")
    return file


@pytest.fixture
def gold(tmp_path):
    file = tmp_path / "gold.jsonl"
    entities = [Entity(0, 3, "PERSON"), Entity(5, 9, "ID"), Entity(13, 16, "LOCATION")]
    write([Document(TEXT, entities=entities)], file)
    return file


@pytest.fixture
def ruled_project(tmp_path, tiny_model):
    folder = tmp_path / "trips"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "001").symlink_to(tiny_model, target_is_directory=True)
    (folder / "viner.toml").write_text(RULES, encoding="utf-8")
    return folder


@pytest.fixture
def served(monkeypatch):
    pytest.importorskip("fastapi", reason="the server needs viner[app]")
    recognizers = []
    monkeypatch.setattr("viner.server.serve", lambda recognizer, **options: recognizers.append(recognizer))
    return recognizers


def test_evaluate_scores_what_users_see_and_says_so(run, tiny_model, rules, ruled_project, gold):
    def scored(*args):
        status, out, err = run("evaluate", *args, gold, "--json")
        assert status == 0, err
        data = json.loads(out)
        return data["micro"]["f1"], data["rules"], data["unknown_labels"]

    assert scored(tiny_model) == (0.8, None, {"ID": 1})
    assert scored(tiny_model, "--rules", rules) == (1.0, str(rules), {})
    assert scored(ruled_project) == (1.0, str(ruled_project / "viner.toml"), {})
    assert scored(ruled_project, "--no-rules") == (0.8, None, {"ID": 1})
    out = run("evaluate", ruled_project, gold)[1]
    assert out.endswith(f"\nScored with the 1 rule of {ruled_project / 'viner.toml'}.\n")
    assert "Scored with" not in run("evaluate", tiny_model, gold)[1]


def test_a_model_is_served_with_the_rules(run, tiny_model, rules, ruled_project, served):
    assert run("serve", tiny_model, "--rules", rules)[0] == 0
    assert run("serve", ruled_project)[0] == 0
    assert run("serve", ruled_project, "--no-rules")[0] == 0
    answers = [[entity.label for entity in recognizer(TEXT).entities] for recognizer in served]
    assert answers == [["PERSON", "ID", "LOCATION"], ["PERSON", "ID", "LOCATION"], ["PERSON", "LOCATION"]]


@pytest.mark.parametrize("option", [["--rules", "rules.toml"], ["--no-rules"]])
def test_a_workbench_has_its_own_rules(run, project, option):
    status, _, err = run("serve", "--project", project, *option)
    assert status == 2
    assert f"{option[0]} goes with a MODEL" in err


def test_both_options_contradict_each_other(run, tiny_model, rules, gold):
    status, _, err = run("evaluate", tiny_model, gold, "--rules", rules, "--no-rules")
    assert status == 2
    assert "exclude each other" in err


def test_rules_that_cannot_be_used_are_one_message(run, tiny_model, rules, gold):
    rules.write_text(RULES.replace("+'", "+('"), encoding="utf-8")
    status, out, err = run("evaluate", tiny_model, gold, "--rules", rules)
    assert (status, out) == (1, "")
    assert f"{rules}: rules.patterns[0].pattern" in err
    assert "Traceback" not in err
