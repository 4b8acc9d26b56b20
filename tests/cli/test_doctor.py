from __future__ import annotations

import json
import shutil
from importlib.metadata import EntryPoint

from viner.cli import main
from viner.cli.needs import check_model
from viner.encoding import SEGMENTS


def test_doctor_says_what_is_there(capsys):
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["packages"]["base"]["numpy"]
    assert {"optuna"} == set(facts["packages"]["search"])
    assert {"underthesea"} == set(facts["packages"]["vi"])
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


def test_segmenters_are_loaded_and_what_is_missing_is_told_with_what_brings_it(capsys, monkeypatch):
    from viner.errors import MissingExtraError
    from viner.text import segment

    class Own:
        version = "7.1"

    def find(name):
        if name == "underthesea":
            raise MissingExtraError("segments of underthesea", "vi")
        if name == "broken":
            raise RuntimeError("no model file")
        return Own()

    points = {name: EntryPoint(name, "somewhere:Own", segment.GROUP) for name in ("underthesea", "own", "broken")}
    monkeypatch.setattr("viner.cli.needs.segmenters", lambda: points)
    monkeypatch.setattr("viner.cli.needs.find_segmenter", find)
    assert main(["doctor"]) == 0, "a segmenter that is missing is no fault of the machine"
    lines = capsys.readouterr().out.split("segmenters\n")[1].split("\npublishing")[0].splitlines()
    assert lines[0].split()[:2] == ["underthesea", "no:"]
    assert "pip install 'viner[vi]'" in lines[1]
    assert lines[2].split(maxsplit=1) == ["own", "7.1, from viner"]
    assert "it cannot be loaded (no model file)" in lines[3]


def test_what_a_model_needs_is_looked_at(tiny_model, tmp_path, run):
    status, out, _ = run("doctor", "--model", tiny_model, "--json")
    assert status == 0
    said = {item["name"]: item["said"] for item in json.loads(out)["model"]}
    assert said["model"].startswith("complete, int8, 2 types")
    assert said["reads"] == "words; it needs no segmenter"
    assert "viner calibrate" in said["scores"]
    status, out, _ = run("doctor", "--model", tmp_path / "none")
    assert status == 1
    assert "WRONG: " in out.split("\nmodel\n")[1]


def test_a_model_that_was_damaged_is_not_complete(tiny_model, tmp_path, run):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    graph = bytearray((folder / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (folder / "model.onnx").write_bytes(graph)
    status, out, _ = run("doctor", "--model", folder)
    assert status == 1
    assert "model.onnx was changed or damaged" in out


def test_a_model_of_segments_needs_its_segmenter(tiny_model, tmp_path, run, monkeypatch):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    data = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    data |= {"segmenter": {"name": "theirs", "version": "1.0"}, "views": ["nfc", SEGMENTS]}
    (folder / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    status, out, _ = run("doctor", "--model", folder)
    assert status == 1
    assert "segments of theirs 1.0, which no package here offers" in out
    monkeypatch.setattr("viner.cli.needs.segmenters", lambda: {"theirs": None})
    monkeypatch.setattr("viner.cli.needs._loaded", lambda name: "2.0")
    assert "theirs 1.0; 2.0 is here" in str([check.said for check in check_model(str(folder))])


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
