from __future__ import annotations

import json

from viner.cli import main


def test_doctor_says_what_is_there(capsys):
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["packages"]["base"]["numpy"]
    assert facts["cores"] >= 1
    assert all(isinstance(there, bool) for there in facts["features"].values())


def test_doctor_names_the_install_that_is_missing(capsys, monkeypatch):
    monkeypatch.setattr("viner.cli.machine._version", lambda package: None if package == "torch" else "1.0")
    assert main(["doctor"]) == 0
    assert "train: missing torch; pip install 'viner[train]'" in capsys.readouterr().out


def test_doctor_says_aloud_that_a_gpu_is_not_used(capsys, monkeypatch):
    monkeypatch.setattr("viner.cli.machine.has_gpu", lambda: True)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    assert main(["doctor"]) == 0
    assert "NOT USED: onnxruntime" in capsys.readouterr().out


def test_a_sound_project_is_said_to_be_so(project, run):
    status, out, _ = run("doctor", "--project", project, "--json")
    checks = {check["name"]: check for check in json.loads(out)["project"]}
    assert status == 0
    assert all(check["good"] for check in checks.values())
    assert "0 documents" in checks["store"]["said"]


def test_each_thing_that_is_wrong_with_a_project_is_told(project, run):
    settings = (project / "viner.toml").read_text()
    (project / "viner.toml").write_text(settings.replace('order = "mix"', 'ordre = "mix"').replace("PLACE", "TOWN"))
    (project / "viner.db").write_bytes(b"this is no database, whatever it is called" * 100)
    (project / ".viner-init-x").mkdir()
    status, out, _ = run("doctor", "--project", project)
    assert status == 1
    assert "annotation.ordre: unknown key\n              -> Did you mean 'order'?" in out
    (project / "viner.toml").write_text(settings)
    status, out, _ = run("doctor", "--project", project)
    assert status == 1
    wrong = [line.split()[0] for line in out.splitlines() if "WRONG" in line]
    assert wrong == ["store", "leftovers"]


def test_copies_of_documents_in_unfinished_trainings_are_told(project, run):
    (project / "runs" / "001").mkdir(parents=True)
    (project / "runs" / "001" / "train.jsonl").write_text("{}\n")
    (project / "runs" / "002").mkdir()
    status, out, _ = run("doctor", "--project", project)
    assert status == 0
    assert "not finished, with a copy of their documents: 001\n" in out


def test_a_schema_that_was_changed_by_hand_is_told(project, run):
    settings = (project / "viner.toml").read_text()
    (project / "viner.toml").write_text(settings.replace("PLACE", "TOWN"))
    status, out, _ = run("doctor", "--project", project)
    assert status == 0
    assert "viner.toml has other types" in out
