"""``viner calibrate``: what it says, and what it refuses."""

from __future__ import annotations

import json
import shutil

import pytest

from viner.bundle import read_bundle
from viner.document import Document, Entity
from viner.formats import write


@pytest.fixture
def model(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "model")


@pytest.fixture
def dev(tmp_path):
    """People are annotated, and every second place, so that scores can tell something apart."""
    documents = []
    for number in range(40):
        entities = [Entity(0, 3, "PERSON"), *([Entity(7, 10, "LOCATION")] if number % 2 else [])]
        documents.append(Document(f"Lan ở  Huế {number}", entities=entities))
    write(documents, tmp_path / "dev.jsonl")
    return tmp_path / "dev.jsonl"


def test_a_model_is_calibrated_and_it_is_said(run, model, dev):
    status, out, err = run("calibrate", model, dev)
    assert status == 0, err
    assert "80 entities were found in 40 documents." in out
    assert "| expected calibration error |" in out
    assert f"{model} now has calibrated scores." in out
    assert read_bundle(model).info.calibration is not None


def test_scripts_get_the_figures_and_a_dry_run_writes_nothing(run, model, dev):
    status, out, _ = run("calibrate", model, dev, "--dry-run", "--json")
    assert status == 0
    data = json.loads(out)
    assert (data["written"], data["previous"]) == (None, None)
    assert data["calibration"]["slope"] > 0
    assert data["before"]["entities"] == data["after"]["entities"] == 80
    assert read_bundle(model).info.calibration is None


def test_a_reset_is_said_also_where_there_is_nothing_to_reset(run, model, dev):
    assert run("calibrate", model, dev)[0] == 0
    assert "now has the model's own scores" in run("calibrate", model, "--reset")[1]
    assert "has no calibration; nothing was changed" in run("calibrate", model, "--reset")[1]
    copy = model.with_name("copy")
    assert f"{copy} is {model} with the model's own scores" in run("calibrate", model, "--reset", "--out", copy)[1]
    assert read_bundle(copy).info.calibration is None


def test_a_file_without_annotations_says_so(run, model, tmp_path):
    (tmp_path / "plain.txt").write_text("Lan ở Huế.\n", encoding="utf-8")
    status, _, error = run("calibrate", model, tmp_path / "plain.txt")
    assert status == 1
    assert "plain.txt: no document is annotated" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "FILE is missing"),
        (["dev.jsonl", "--reset"], "--reset takes no FILE"),
        (["--reset", "--dry-run"], "measures nothing"),
    ],
)
def test_what_contradicts_itself_is_refused(run, model, arguments, said):
    status, _, err = run("calibrate", model, *arguments)
    assert status == 2
    assert said in err


def test_a_project_gets_another_model_and_learns_how_to_go_back(run, model, dev, project):
    shutil.copytree(model, project / "models" / "001")
    status, out, err = run("calibrate", project, dev)
    assert status == 0, err
    assert f"{project / 'models' / '002'} is {project / 'models' / '001'} with calibrated scores." in out
    assert f"viner models {project} --activate 001" in out
