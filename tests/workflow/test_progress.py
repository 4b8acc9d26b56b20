import io
import json

import pytest

from viner.errors import TrainingError
from viner.workflow.progress import Report, TrainingLog


def entries(path):
    return [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()]


def started():
    counts = {"documents": 1, "pieces": 9, "epochs": 1, "lost": {}}
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
