"""Erasing from a project: whoever is killed on the way has erased everything, or nothing from the store."""

import signal
import subprocess
import sys

import pytest

from support.traces import files_with
from viner.store import UnknownDocumentError
from viner.studio.notes import Note

_KILLED = """
import os, pkgutil, signal, sys
from viner.studio import Studio
project, thing, name, moment = sys.argv[1:]
thing = pkgutil.resolve_name(thing)
real = getattr(thing, name)
def kill(*args, **options):
    if moment == "after":
        real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
with Studio.open(project, follow=False) as studio:
    setattr(thing, name, kill)
    studio.erase(["1-0"], who="lan")
"""
STEPS = [
    ("viner.studio.runs:Runs", "_lose", "before"),
    ("viner.studio.runs", "_remove", "before"),
    ("viner.studio.runs", "_remove", "after"),
    ("viner.studio.run_folder:RunFolder", "update", "before"),
    ("viner.studio.run_folder", "_drop", "before"),
    ("viner.studio.run_folder:os", "fsync", "before"),
    ("viner.studio.run_folder", "_drop", "after"),
    ("viner.studio.erasing:shutil", "rmtree", "after"),
    ("viner.store.erasing", "erase", "before"),
    ("viner.store.erasing", "_forget_groups", "after"),
    ("viner.store.erasing", "erase", "after"),
    ("viner.store.erasing", "scrub", "before"),
    ("viner.store.erasing", "scrub", "after"),
]


@pytest.fixture
def stopped(annotated, open_studio):
    """The folder of a stopped training, with snapshot, log and what it has learned."""
    studio = open_studio(annotated)
    with studio.runs.foreground() as folder:
        folder.tell({"event": "stage", "name": "Training"})
    learned = annotated.path / "models" / f"{folder.name}.training"
    learned.mkdir(parents=True)
    (learned / "weights").write_text("learned", encoding="utf-8")
    comparisons = annotated.path / "runs" / "comparisons"
    comparisons.mkdir()
    (comparisons / "001.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(("thing", "name", "moment"), STEPS, ids=[f"{step[2]} {step[1]}" for step in STEPS])
def test_an_erasing_that_is_killed_leaves_the_document_in_the_store_or_nowhere(
    annotated, stopped, open_studio, thing, name, moment
):
    text = open_studio(annotated).store.get("1-0").text
    assert files_with(annotated.path, text) == ["runs/001/train.jsonl", "viner.db"]
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(annotated.path), thing, name, moment], timeout=100)
    assert killed.returncode == -signal.SIGKILL

    studio = open_studio(annotated)
    try:
        assert studio.store.get("1-0").text == text
    except UnknownDocumentError:
        assert (name, moment) in [("scrub", "before"), ("scrub", "after")]
    else:
        assert studio.erase(["1-0"], who="lan").documents == 1
    assert files_with(annotated.path, text) == []
    assert not (annotated.path / "models" / "001.training").exists()
    assert not (annotated.path / "runs" / "comparisons").exists()
    assert not stopped.log.exists()
    run = studio.runs.get("001")
    assert run.resumable
    assert run.notes == (Note.of("documents_erased", count=1),)
    assert '"1-1"' in stopped.snapshot_files()["train"].read_text(encoding="utf-8")


def test_a_misspelled_id_takes_nothing_from_anywhere(annotated, stopped, open_studio):
    studio = open_studio(annotated)
    before = stopped.snapshot_files()["train"].read_bytes()
    with pytest.raises(UnknownDocumentError, match="no document of that id"):
        studio.erase(["1-0", "nobody"], who="lan")
    assert stopped.snapshot_files()["train"].read_bytes() == before
    assert stopped.log.exists()
    assert studio.store.get("1-0").text


def test_a_snapshot_that_a_finished_training_could_not_remove_goes(annotated, stopped, open_studio):
    studio = open_studio(annotated)
    stopped.update(state="finished")  # and was killed then
    text = studio.store.get("1-0").text
    assert studio.erase(["1-0"], who="lan").runs == ()
    assert files_with(annotated.path, text) == []
    assert stopped.snapshot_files() == {}


def test_no_snapshot_is_taken_while_documents_are_being_erased(annotated, open_studio):
    studio, other = open_studio(annotated), open_studio(annotated)
    with studio.runs.without(["1-0"]), pytest.raises(Exception, match="documents are being erased"):
        other.runs._alone(wait=0.1).__enter__()
    with other.runs._alone(wait=0.1):
        assert other.runs.list() == []
