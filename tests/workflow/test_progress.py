import io
import json
import time
from types import SimpleNamespace

import pytest

from viner.errors import TrainingError
from viner.workflow.progress import Report, TrainingLog


def entries(path):
    return [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()]


def started():
    counts = {"documents": 1, "pieces": 9, "epochs": 1, "lost": {}, "weights": 1, "learning": 1, "processes": 1}
    return {"event": "start", "precision": "fp32", "device": "cpu", "rate": 1e-3, **counts}


def test_a_resumed_training_appends_to_its_log_and_another_begins_it_anew(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for events in ([started()], [{"event": "resume", "epoch": 1, "best_f1": 0.5}, started()]):
        with TrainingLog(path, Report(io.StringIO())) as log:
            for event in events:
                log(event)
    assert entries(path) == ["start", "resume", "start"]
    with TrainingLog(path, Report(io.StringIO())) as log:
        log(started())
    assert entries(path) == ["start"]


def test_a_log_that_cannot_be_written_says_where_and_what_to_do(tmp_path):
    log = TrainingLog(tmp_path / "missing" / "metrics.jsonl", Report(io.StringIO()))
    with log, pytest.raises(TrainingError, match="log cannot be written") as error:
        log(started())
    assert "metrics.jsonl" in str(error.value)
    assert "disk space" in error.value.hint


def test_a_model_that_finds_nothing_is_said_aloud():
    out = io.StringIO()
    Report(out).event({"event": "end", "best_epoch": 1, "dev_f1": 0.0, "seconds": 3.0})
    assert "Warning: the model finds none of the dev entities" in out.getvalue()


def test_of_the_steps_a_log_keeps_one_a_second_and_the_last_of_an_epoch_and_a_report_sees_all(tmp_path, monkeypatch):
    class Kept(Report):
        def __init__(self):
            super().__init__(io.StringIO())
            self.logged, self.seen = [], []

        def log(self, event):
            self.logged.append(event["step"])

        def event(self, event):
            self.seen.append(event["step"])

    clock = iter([100.0, 100.4, 101.1, 101.2, 101.3, 102.0, 102.3])
    # Only that module's clock: the event loops of other tests' servers live in this process, too.
    monkeypatch.setattr("viner.workflow.progress.time", SimpleNamespace(time=time.time, monotonic=lambda: next(clock)))
    path, report = tmp_path / "metrics.jsonl", Kept()
    with TrainingLog(path, report) as log:
        for step in range(1, 8):
            log({"event": "step", "epoch": 1, "step": step, "steps": 4, "loss": 0.5})
    assert report.logged == [1, 3, 4, 7]
    assert report.seen == [1, 2, 3, 4, 5, 6, 7]
    assert [json.loads(line)["step"] for line in path.read_text(encoding="utf-8").splitlines()] == report.logged
