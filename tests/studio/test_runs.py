import json
import os
import signal
import subprocess
import sys
import time

import pytest

from viner.bundle import read_bundle
from viner.errors import InputError, MissingExtraError, UsageError
from viner.project import Project
from viner.store import Store
from viner.studio import RunError, background, runs
from viner.studio.run_folder import RunFolder

CHOICES = {"epochs": 2, "learning_rate": 3e-3, "head_multiplier": 3.0, "precision": "fp32"}
LONG = {**CHOICES, "epochs": 500, "patience": 500}


def until(condition):
    """Waits for another process; what never happens ends with the test's own time limit."""
    while not condition():
        time.sleep(0.02)


def epochs(studio, name):
    return [event["epoch"] for event in studio.runs.events(name) if event["event"] == "epoch"]


@pytest.fixture
def finished(annotated, base, open_studio):
    studio = open_studio(annotated)
    run = studio.runs.start(base=str(base), **CHOICES)
    return studio, studio.runs.wait(run.name)


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


def test_no_text_stays_when_it_has_finished(finished):
    studio, run = finished
    assert not RunFolder(studio.project.path / "runs" / run.name).snapshot_files()
    assert not (studio.project.path / "models" / "001.training").exists()


def test_one_at_a_time_whoever_starts_it(annotated, base, open_studio):
    here, there = open_studio(annotated), open_studio(annotated)
    here.runs.start(base=str(base), **LONG)
    with pytest.raises(RunError, match="a training is at work: 001") as caught:
        there.runs.start(base=str(base), **LONG)
    assert caught.value.hint == "Wait for it, or stop it"
    assert [run.name for run in there.runs.list()] == ["001"]


def test_it_runs_in_a_session_of_its_own_at_the_lowest_priority(annotated, base, open_studio, monkeypatch):
    monkeypatch.setattr(runs, "spawn", background.spawn)
    studio = open_studio(annotated)
    studio.runs.start(base=str(base), **LONG)
    pid = studio.runs.current().pid
    until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == 19)
    assert os.getsid(pid) == pid


def test_a_restarted_server_finds_it_and_can_stop_it(annotated, base, open_studio):
    first = open_studio(annotated)
    name = first.runs.start(base=str(base), **LONG).name
    until(lambda: epochs(first, name))
    second = open_studio(annotated)
    run = second.runs.current()
    assert (run.state, run.name) == ("running", name)
    assert run.best_f1 is not None
    assert 0 < run.progress < 1
    assert second.runs.stop(name).state in ("stopping", "stopped")
    assert second.runs.wait(name).state == "stopped"
    assert first.runs.get(name).state == "stopped"


def test_stopped_and_resumed_it_learns_what_it_would_have_learned_at_once(annotated, base, open_studio):
    studio = open_studio(annotated)
    choices = {**CHOICES, "epochs": 12, "patience": 12, "base": str(base)}
    through = studio.runs.wait(studio.runs.start(**choices).name)
    name = studio.runs.start(**choices).name
    until(lambda: epochs(studio, name))
    studio.runs.stop(name)
    stopped = studio.runs.wait(name)
    assert stopped.state == "stopped"
    assert stopped.resumable
    assert len(epochs(studio, name)) < 12, "too fast to be stopped"
    studio.runs.resume(name)
    resumed = studio.runs.wait(name)
    assert resumed.state == "finished", studio.runs.output(name)
    assert epochs(studio, name) == list(range(1, 13))
    weights = [(studio.project.path / "models" / run / "model.safetensors").read_bytes() for run in (through.name, name)]
    assert weights[0] == weights[1]


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


def test_what_is_wrong_is_said_in_its_state(annotated, tmp_path, open_studio):
    studio = open_studio(annotated)
    run = studio.runs.wait(studio.runs.start(base=str(tmp_path / "nowhere"), **CHOICES).name)
    assert run.state == "failed"
    assert str(tmp_path / "nowhere") in (run.error["where"] or "") + run.error["message"]
    assert run.error["code"] == "invalid_model"
    assert studio.runs.start(base=str(tmp_path / "nowhere"), **CHOICES).name == "002"


def test_a_choice_that_cannot_be_is_said_in_its_state(annotated, base, open_studio):
    studio = open_studio(annotated)
    run = studio.runs.wait(studio.runs.start(base=str(base), epochs=-1).name)
    assert (run.state, run.error["code"]) == ("failed", UsageError.code)


def test_minutes_limit_the_time(annotated, base, open_studio):
    studio = open_studio(annotated)
    run = studio.runs.start(base=str(base), minutes=0.01, **LONG)
    assert run.options["budget_minutes"] == 0.01
    assert studio.runs.wait(run.name).state == "finished"
    assert len(epochs(studio, run.name)) < 500


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


def test_erased_documents_leave_unfinished_runs_which_start_anew(annotated, base, open_studio):
    studio = open_studio(annotated)
    name = studio.runs.start(base=str(base), **LONG).name
    until(lambda: epochs(studio, name))
    studio.store.erase(["1-0"], who="lan")
    assert studio.runs.erase(["1-0"]) == [name]
    run = studio.runs.get(name)
    assert run.active
    assert run.notes == ("1 documents were erased; the training starts anew without them",)
    text = RunFolder(annotated.path / "runs" / name).snapshot_files()["train"].read_text(encoding="utf-8")
    assert '"1-0"' not in text
    assert '"1-1"' in text
    until(lambda: epochs(studio, name))
    starts = [event for event in studio.runs.events(name) if event["event"] in ("start", "resume")]
    assert [event["event"] for event in starts] == ["start"]
    assert starts[0]["documents"] == 59
    assert studio.runs.erase(["1-0"]) == []


def test_in_the_foreground_it_is_the_same_run(annotated, base, open_studio):
    script = (
        "import sys; from pathlib import Path; from viner.project import Project; from viner.store import Store\n"
        "from viner.studio.runs import Runs; from viner.studio.work import work\n"
        "project = Project(Path(sys.argv[1]))\n"
        "with Store.of_project(project) as store, Runs(project, store).foreground(base=sys.argv[2], epochs=1) as folder:\n"
        "    print(work(folder))\n"
    )
    command = [sys.executable, "-c", script, str(annotated.path), str(base)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("001")
    assert open_studio(annotated).runs.current().state == "finished"


def test_done_documents_are_counted_from_the_start_of_the_last_run(finished):
    studio, _ = finished
    assert studio.done_since() == 0
    with Store.of_project(Project(studio.project.path)) as store:
        from support.bases import toy_documents

        store.add(toy_documents(3, 9), who="import", split="train")
    assert studio.done_since() == 3
