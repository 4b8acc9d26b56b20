import errno
import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from support.bases import toy_documents
from support.traces import files_with
from viner.bundle import read_bundle
from viner.errors import InputError, MissingExtraError, TrainingError, UsageError, VinerError
from viner.store import UnknownDocumentError
from viner.studio import NoModelError, RunError, background, runs
from viner.studio import work as at_work
from viner.studio.notes import Note
from viner.studio.run_folder import RunFolder
from viner.studio.work import RunReport, work

pytestmark = pytest.mark.xdist_group("runs")  # one process makes what the tests share

CHOICES = {"epochs": 2, "learning_rate": 3e-3, "head_multiplier": 3.0, "precision": "fp32"}
LONG = {**CHOICES, "epochs": 500, "patience": 500}


def until(condition):
    """Waits for another process; what never happens ends with the test's own time limit."""
    while not condition():
        time.sleep(0.02)


def epochs(studio, name):
    return [event["epoch"] for event in studio.runs.events(name) if event["event"] == "epoch"]


def train_here(studio, *, until_epoch=None, **choices):
    """A run in this process; at the end of an epoch it may be interrupted, as with Ctrl-C."""

    def event(report, event):
        tell(report, event)
        if event["event"] == "epoch" and event["epoch"] == until_epoch:
            raise KeyboardInterrupt

    tell = RunReport.event
    with pytest.MonkeyPatch.context() as patch, studio.runs.foreground(**{**CHOICES, **choices}) as folder:
        patch.setattr(RunReport, "event", event)
        with suppress(KeyboardInterrupt, VinerError):
            work(folder, stream=io.StringIO())
    return studio.runs.get(folder.name)


def test_a_run_makes_the_model_of_its_name_and_says_how_it_did(finished):
    studio, run = finished
    assert (run.state, run.name, run.model, run.error) == ("finished", "001", "001", None), studio.runs.output("001")
    info = read_bundle(studio.project.path / "models" / "001").info
    assert run.dev_f1 == info.metrics["dev"]["micro"]["f1"]
    assert [info.data[split]["documents"] for split in ("train", "dev", "test")] == [60, 12, 6]
    assert run.counts["documents"]["train"] == {"done": 60, "started": 0}
    assert run.progress == 1
    assert run.seconds_left is None
    assert run.outcome["activated"]
    assert run.to_dict()["note"] == "Model 001 is the first, and now in service."
    assert json.loads(json.dumps(run.to_dict())) == run.to_dict()


def test_its_log_feeds_plots(finished):
    studio, run = finished
    events = studio.runs.events(run.name)
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [1, 2]
    steps = [event for event in events if event["event"] == "step"]
    assert steps
    assert all({"loss", "epoch", "epochs", "step", "steps", "time"} <= event.keys() for event in steps)
    assert studio.runs.events(run.name, after=len(events)) == []
    assert studio.runs.events(run.name, after=len(events) - 1) == events[-1:]
    assert "Training on 60 documents" in studio.runs.output(run.name)


def test_it_runs_in_a_session_of_its_own_at_the_lowest_priority(annotated, base, open_studio, monkeypatch):
    monkeypatch.setattr(runs, "spawn", background.spawn)
    studio = open_studio(annotated)
    studio.runs.start(base=str(base), **LONG)
    pid = studio.runs.current().pid
    until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == 19)
    assert os.getsid(pid) == pid


def test_a_killed_one_has_failed_and_can_be_resumed(annotated, base, open_studio):
    studio = open_studio(annotated)
    name = studio.runs.start(base=str(base), **LONG).name
    until(lambda: epochs(studio, name))
    os.kill(studio.runs.current().pid, signal.SIGKILL)
    run = studio.runs.wait(name)
    assert run.state == "failed"
    assert run.error["code"] == "training_killed"
    assert "Resume it" in run.error["hint"]
    assert studio.runs.resume(name).active
    until(lambda: any(event["event"] == "resume" for event in studio.runs.events(name)))


def test_a_process_that_got_the_id_of_a_dead_one_is_not_taken_for_it(annotated, open_studio):
    studio = open_studio(annotated)
    folder = RunFolder(annotated.path / "runs" / "001")
    folder.path.mkdir(parents=True)
    folder.write({"state": "running", "created": 1.0, "pid": os.getpid(), "process": "another boot 1"})
    assert studio.runs.get("001").state == "failed"


def test_too_little_to_learn_from_starts_nothing(project, open_studio):
    studio = open_studio(project)
    with pytest.raises(InputError, match="too little to learn from") as caught:
        studio.runs.start()
    assert "Annotate" in caught.value.hint
    assert studio.runs.list() == []
    assert studio.runs.current() is None
    assert not [path for path in (project.path / "runs").iterdir() if path.is_dir()]


def test_without_torch_it_says_what_to_install(annotated, open_studio, monkeypatch):
    monkeypatch.setattr(runs, "find_spec", lambda name: None)
    studio = open_studio(annotated)
    with pytest.raises(MissingExtraError) as caught:
        studio.runs.start()
    assert caught.value.extra == "train"
    assert studio.runs.list() == []


def test_what_is_not_at_work_cannot_be_stopped_and_what_has_finished_not_resumed(finished):
    studio, run = finished
    with pytest.raises(RunError, match="not at work: it is finished"):
        studio.runs.stop(run.name)
    with pytest.raises(RunError, match="cannot be resumed: it is finished"):
        studio.runs.resume(run.name)
    with pytest.raises(RunError, match="no training '999'"):
        studio.runs.get("999")


def test_no_text_stays_when_it_has_finished(finished):
    studio, run = finished
    runs_folder = studio.project.path / "runs"
    assert not RunFolder(runs_folder / run.name).snapshot_files()
    assert not (studio.project.path / "models" / "001.training").exists()
    texts = [document.text for document in studio.store.export() if document.entities]
    assert len(texts) == 78
    assert [files_with(runs_folder, text) for text in texts] == [[]] * 78


def test_a_restarted_server_finds_it_starts_no_other_and_can_stop_it(annotated, base, open_studio):
    first = open_studio(annotated)
    name = first.runs.start(base=str(base), **LONG).name
    until(lambda: epochs(first, name))
    second = open_studio(annotated)
    run = second.runs.current()
    assert (run.state, run.name) == ("running", name)
    assert run.best_f1 is not None
    assert 0 < run.progress < 1
    with pytest.raises(RunError, match="a training is at work: 001") as caught:
        second.runs.start(base=str(base), **LONG)
    assert caught.value.hint == "Wait for it, or stop it"
    assert [run.name for run in second.runs.list()] == [name]
    assert second.runs.stop(name).state in ("stopping", "stopped")
    assert second.runs.wait(name).state == "stopped"
    assert first.runs.get(name).state == "stopped"


def test_in_the_foreground_it_is_the_same_run_and_others_see_it(annotated, base, open_studio):
    studio, other = open_studio(annotated), open_studio(annotated)
    with studio.runs.foreground(base=str(base), **CHOICES) as folder:
        assert other.runs.current().state == "starting"
        with pytest.raises(RunError, match="a training is at work: 001"):
            other.runs.start()
        assert work(folder, stream=io.StringIO()) == annotated.path / "models" / "001"
    assert other.runs.current().state == "finished"


def test_stopped_and_resumed_it_learns_what_it_would_have_learned_at_once(annotated, base, open_studio):
    studio = open_studio(annotated)
    choices = {"epochs": 5, "patience": 5, "base": str(base)}
    through = train_here(studio, **choices)
    stopped = train_here(studio, until_epoch=2, **choices)
    assert (through.state, stopped.state, stopped.resumable) == ("finished", "stopped", True)
    (annotated.path / "runs" / stopped.name / "stop").touch()  # a page may have asked for it
    work(RunFolder(annotated.path / "runs" / stopped.name), stream=io.StringIO())
    assert studio.runs.get(stopped.name).state == "finished"
    assert epochs(studio, stopped.name) == [1, 2, 3, 4, 5]
    weights = [(annotated.path / "models" / run.name / "model.safetensors").read_bytes() for run in (through, stopped)]
    assert weights[0] == weights[1]


class Terminated(BaseException):
    """What a program may make of SIGTERM."""


@pytest.mark.parametrize(
    ("raised", "state", "code"),
    [
        (Terminated(), "stopped", None),
        (KeyboardInterrupt(), "stopped", None),
        (TrainingError("no"), "failed", "training_failed"),
        (RuntimeError("Lan sống ở Huế"), "failed", "training_failed"),
        (MemoryError(), "failed", "training_failed"),
        (OSError(errno.ENOSPC, "No space left on device"), "failed", "training_failed"),
    ],
)
def test_who_ends_it_stops_it_and_what_goes_wrong_fails_it(annotated, base, open_studio, monkeypatch, raised, state, code):
    def train_model(**options):
        raise raised

    monkeypatch.setattr(at_work, "train_model", train_model)
    studio = open_studio(annotated)
    with studio.runs.foreground(base=str(base)) as folder, pytest.raises(type(raised)):
        work(folder)
    run = studio.runs.get(folder.name)
    assert (run.state, run.resumable, (run.error or {}).get("code")) == (state, True, code)
    assert "Huế" not in str(run.error)
    assert folder.snapshot_files()


def test_what_is_wrong_is_said_in_its_state(annotated, tmp_path, open_studio):
    studio = open_studio(annotated)
    run = train_here(studio, base=str(tmp_path / "nowhere"))
    assert run.state == "failed"
    assert str(tmp_path / "nowhere") in (run.error["where"] or "") + run.error["message"]
    assert run.error["code"] == "invalid_model"
    run = train_here(studio, epochs=-1)
    assert (run.name, run.state, run.error["code"]) == ("002", "failed", UsageError.code)


def test_minutes_limit_the_time(annotated, base, open_studio):
    studio = open_studio(annotated)
    run = train_here(studio, base=str(base), minutes=0.01, epochs=500, patience=500)
    assert run.options["budget_minutes"] == 0.01
    assert run.state == "finished"
    assert len(epochs(studio, run.name)) < 500


def test_the_model_in_service_becomes_a_smaller_one(annotated, base, open_studio):
    studio = open_studio(annotated)
    with pytest.raises(NoModelError, match="no model yet that could become smaller"):
        studio.runs.start(smaller=True)
    assert studio.runs.list() == []
    train_here(studio, base=str(base), epochs=1)
    run = train_here(studio, smaller=True, epochs=1)
    assert (run.state, run.model) == ("finished", "002"), run.error
    told = read_bundle(studio.project.path / "models" / "002").info.base["distilled_from"]
    assert (told["name"], told["layers"], told["kept"]) == ("001", 2, [2])


def test_a_model_teaches_a_run_also_what_nobody_annotated(annotated, base, open_studio, tmp_path):
    studio = open_studio(annotated)
    train_here(studio, base=str(base), epochs=1)
    (tmp_path / "notes.txt").write_text("\n".join(document.text for document in toy_documents(30, 99)), encoding="utf-8")
    texts = [str(tmp_path / "*.txt")]
    run = train_here(studio, base=str(base), epochs=1, teacher=[str(annotated.path)], unlabeled=texts)
    assert (run.state, run.model) == ("finished", "002"), run.error
    info = read_bundle(studio.project.path / "models" / "002").info
    assert info.data["unlabeled"]["documents"] == 30
    assert [one["name"] for one in info.base["taught_by"]["models"]] == ["001"]


@pytest.mark.parametrize("smaller", [False, True])
def test_the_model_in_service_teaches_what_is_in_documents_that_nobody_began(annotated, base, open_studio, smaller):
    studio = open_studio(annotated)
    with pytest.raises(NoModelError, match="no model yet that could"):
        studio.runs.start(self_train=True, smaller=smaller)
    train_here(studio, base=str(base), epochs=1)
    run = train_here(studio, self_train=True, smaller=smaller, epochs=1, **({} if smaller else {"base": str(base)}))
    assert (run.state, run.model, run.counts["texts"]) == ("finished", "002", 8), run.error
    info = read_bundle(studio.project.path / "models" / "002").info
    assert info.data["unlabeled"]["documents"] == 8
    if smaller:
        assert info.base["distilled_from"]["name"] == "001"
    else:
        assert [one["name"] for one in info.base["taught_by"]["models"]] == ["001"]
    assert not list((studio.project.path / "runs" / "002").glob("*.jsonl.*"))
    assert not (studio.project.path / "runs" / "002" / "unlabeled.jsonl").exists()


def test_a_text_that_nobody_began_can_be_erased_from_a_run(annotated, base, open_studio):
    studio = open_studio(annotated)
    train_here(studio, base=str(base), epochs=1)
    run = train_here(studio, until_epoch=1, self_train=True, base=str(base), epochs=2)
    file = studio.project.path / "runs" / run.name / "unlabeled.jsonl"
    assert (run.state, len(file.read_text(encoding="utf-8").splitlines())) == ("stopped", 8)
    erased = studio.erase(["todo-3"], who="lan")
    assert erased.runs == (run.name,)
    assert "todo-3" not in file.read_text(encoding="utf-8")


def test_erased_documents_leave_a_run_at_work_which_starts_anew(annotated, base, open_studio):
    studio = open_studio(annotated)
    name = studio.runs.start(base=str(base), **LONG).name
    until(lambda: epochs(studio, name))
    erased = studio.erase(["1-0"], who="lan")
    assert (erased.documents, erased.runs) == (1, (name,))
    run = studio.runs.get(name)
    assert run.active
    assert run.notes == (Note.of("documents_erased", count=1),)
    until(lambda: epochs(studio, name))
    starts = [event for event in studio.runs.events(name) if event["event"] in ("start", "resume")]
    assert [event["event"] for event in starts] == ["start"]
    assert starts[0]["documents"] == 59


def test_erased_documents_leave_nothing_behind(annotated, base, open_studio):
    studio = open_studio(annotated)
    text = studio.store.get("1-0").text
    run = train_here(studio, until_epoch=1, base=str(base))
    orphan = annotated.path / "runs" / "002"  # its server was killed over the snapshot
    orphan.mkdir()
    (orphan / "train.jsonl").write_text(json.dumps({"text": text}), encoding="utf-8")
    comparisons = annotated.path / "runs" / "comparisons"
    comparisons.mkdir()
    (comparisons / "001.json").write_text("{}", encoding="utf-8")
    assert "runs/001/train.jsonl" in files_with(annotated.path, text)
    assert studio.erase(["1-0"], who="lan").runs == (run.name,)
    assert files_with(annotated.path, text) == []
    assert not orphan.exists()
    assert not comparisons.exists()
    assert not (annotated.path / "models" / "001.training").exists()
    after = studio.runs.get(run.name)
    assert after.state == "stopped", "a person stopped it, so it waits for one"
    assert after.resumable
    assert '"1-1"' in RunFolder(annotated.path / "runs" / "001").snapshot_files()["train"].read_text(encoding="utf-8")
    assert studio.erase(["1-1"], who="lan").runs == (run.name,)
    with pytest.raises(UnknownDocumentError):
        studio.erase(["1-0"], who="lan")


@contextmanager
def files_no_larger_than(size):
    """As on a disk with so little space left."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [4096, 0])
def test_without_space_for_its_documents_nothing_is_started_and_nothing_left(annotated, base, open_studio, size):
    studio = open_studio(annotated)
    with files_no_larger_than(size), pytest.raises(VinerError, match="cannot be") as caught:
        studio.runs.start(base=str(base))
    assert "space" in caught.value.hint
    assert studio.runs.list() == []
    assert not [path for path in (annotated.path / "runs").iterdir() if path.is_dir()]


def test_without_space_for_its_state_nothing_is_started_and_nothing_left(annotated, base, open_studio, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    studio = open_studio(annotated)
    with monkeypatch.context() as patch:
        patch.setattr("viner.project.toml.os.fsync", full)
        with pytest.raises(VinerError, match="No space left"):
            studio.runs.start(base=str(base))
    assert studio.runs.list() == []
    assert not [path for path in (annotated.path / "runs").iterdir() if path.is_dir()]
    with studio.runs.foreground(base=str(base)) as folder:
        assert folder.name == "001"


def test_notes_of_an_earlier_version_stand_as_they_were_written(annotated, base, open_studio):
    studio = open_studio(annotated)
    first = "Model 001 is the first, and now in service."
    with studio.runs.foreground(base=str(base)) as folder:
        folder.update(notes=["as it was"], outcome={"activated": True, "message": first})
    run = studio.runs.current()
    assert run.notes == (Note("as it was"), Note(first))
    assert (run.to_dict()["notes"], run.to_dict()["note"]) == (["as it was", first], first)


def test_a_log_is_read_again_only_when_it_has_grown(annotated, base, open_studio, monkeypatch):
    studio = open_studio(annotated)
    with studio.runs.foreground(base=str(base)) as folder:
        step = {"event": "step", "epoch": 1, "epochs": 2, "steps": 4, "loss": 0.5}
        folder.tell({**step, "step": 1})
        assert studio.runs.current().progress == pytest.approx(0.9 / 8)
        with monkeypatch.context() as patch:
            patch.setattr(RunFolder, "events", None)
            assert studio.runs.current().loss == 0.5
        folder.tell({**step, "step": 2})
        assert studio.runs.current().progress == pytest.approx(0.9 / 4)


# Trainings that start by themselves

IDLE = """
import signal, sys
from pathlib import Path
from viner.studio.run_folder import RunFolder, process_start
import os
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
RunFolder(Path(sys.argv[1])).update(state="running", pid=os.getpid(), process=process_start(os.getpid()))
signal.pause()
"""


@pytest.fixture
def started(monkeypatch):
    """Processes that only stay there instead of training; their folders."""
    folders = []

    def spawn(module, folder, *, output):
        folders.append(folder)
        return background.keep(subprocess.Popen([sys.executable, "-c", IDLE, str(folder)], start_new_session=True))

    monkeypatch.setattr(runs, "spawn", spawn)
    return folders


def note_done(studio):
    """As the server does, until the look that it takes is over."""
    studio.note_done()
    for thread in threading.enumerate():
        if thread.name == "viner-retrain":
            thread.join()


def make_done(studio, count, seed):
    studio.store.add(toy_documents(count, seed), who="import", split="train")


def test_by_itself_it_starts_after_so_many_done_documents(annotated, open_studio, started):
    studio = open_studio(annotated)
    note_done(studio)
    assert not started, "it is off until somebody wants it"
    studio.set_retrain_after(80)
    note_done(studio)
    assert not started
    make_done(studio, 2, 7)
    note_done(studio)
    run = studio.runs.current()
    assert (len(started), run.name, run.automatic, studio.done_since()) == (1, "001", True, 0)
    make_done(studio, 80, 8)
    note_done(studio)
    assert len(started) == 1, "one is at work"
    studio.runs.stop("001")
    studio.runs.wait("001")
    note_done(studio)
    assert len(started) == 2


def test_by_itself_it_has_the_recipe_of_the_model_in_service(annotated, open_studio, started):
    """But not its teachers and texts, which somebody asked for once."""
    studio = open_studio(annotated)
    assert studio.runs.recipe() == {}
    folder = studio.runs.prepare(base="there/bert", epochs=3, teacher=["a"], self_train=False, imitation=0.3, adapt=["b"])
    folder.update(state="finished")
    (annotated.path / "models" / folder.name).mkdir(parents=True)
    (annotated.path / "models" / "009").mkdir()  # one that came from elsewhere
    annotated.activate(folder.name)
    assert studio.runs.recipe() == {"base": "there/bert", "epochs": 3}
    studio.set_retrain_after(2)
    make_done(studio, 2, 7)
    note_done(studio)
    assert studio.runs.current().options == {"base": "there/bert", "epochs": 3}
    annotated.activate("009")
    assert studio.runs.recipe() == {}


def test_several_servers_and_tabs_start_one(annotated, open_studio, started):
    studios = [open_studio(annotated) for _ in range(3)]
    studios[0].set_retrain_after(10)
    for studio in studios:
        studio.follow()
    threads = [threading.Thread(target=studio.note_done) for studio in studios for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for studio in studios:
        note_done(studio)
        studio.follow()
        assert studio.message is None
    assert len(started) == 1
    assert [run.name for run in studios[0].runs.list()] == ["001"]


def test_one_that_cannot_start_is_told_and_not_tried_with_each_document(annotated, open_studio, started, monkeypatch):
    studio = open_studio(annotated)
    studio.set_retrain_after(10)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "find_spec", lambda name: None)
        note_done(studio)
    studio.follow()
    assert "No training could be started" in studio.message
    note_done(studio)
    assert not started
    make_done(studio, 10, 7)
    note_done(studio)
    studio.follow()
    assert (len(started), studio.message) == (1, None)


def test_done_documents_are_counted_from_the_start_of_the_last_run(annotated, open_studio, started):
    studio = open_studio(annotated)
    assert studio.done_since() == 78
    studio.runs.start()
    assert studio.done_since() == 0
    make_done(studio, 3, 9)
    assert studio.done_since() == 3
