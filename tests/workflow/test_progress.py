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
    return {"event": "start", "precision": "fp32", "device": "cpu", "rate": 1e-3, "adversarial": 0.0, **counts}


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


def test_an_epoch_that_was_not_scored_is_told_without_scores():
    out = io.StringIO()
    told = {"event": "epoch", "epoch": 3, "loss": 0.25, "seconds": 9.0, "pieces_per_second": 1200.0, "best": False}
    Report(out).event({**told, "dev": None})
    Report(out).event({**told, "dev": {"f1": 0.5, "precision": 0.4, "recall": 0.6}, "best": True})
    assert out.getvalue().splitlines() == [
        "epoch 3: loss 0.250, 9 s, 1,200 pieces/s",
        "epoch 3: loss 0.250, dev F1 0.5000 (precision 0.4000, recall 0.6000), 9 s, 1,200 pieces/s, best so far",
    ]


START = {"passages": 950, "held_out": 50, "pieces": 40_000, "epochs": 8, "minutes": 30.0, "rate": 2e-4, "new_head": True}
ROUND = {"round": 3, "share": 0.15, "loss": 3.2, "accuracy": 0.41, "rate": 1e-4, "pieces_per_second": 1500.0, "best": True}
FIGURES = {"before": {"loss": 4.0, "accuracy": 0.3}, "after": {"loss": 3.0, "accuracy": 0.45}, "epochs": 7.5, "seconds": 900.0}


def test_an_adaptation_tells_loss_rate_and_time_left():
    def said(event, **fields):
        out = io.StringIO()
        Report(out).event({"event": event, **fields})
        return out.getvalue()

    start = said("adapt_start", precision="bf16", device="cpu", **START)
    assert "950 passages (40,000 pieces), 50 held out, at most 8 epochs or 30 minutes, bf16 on cpu, rate 2.0e-04" in start
    assert "a new one learns first" in start
    assert "a new one" not in said("adapt_start", precision="bf16", device="cpu", **{**START, "new_head": False})
    found = "adapting 15%: held-out loss 3.200, 41.0% of the hidden pieces guessed, rate 1.0e-04, 1,500 pieces/s"
    assert f"{found}, about 20 min left, best so far" in said("adapt_round", seconds_left=1200.0, **ROUND)
    assert "about 45 s left\n" in said("adapt_round", seconds_left=45.0, **{**ROUND, "best": False})
    assert "about 3.5 h left" in said("adapt_round", seconds_left=12_600.0, **ROUND)
    assert "before adapting: held-out loss 3.200" in said("adapt_round", seconds_left=None, **{**ROUND, "round": 0})
    assert "no number" in said("adapt_round", seconds_left=None, **{**ROUND, "loss": None})
    assert "Going on with the adaptation at 15%" in said("adapt_resume", share=0.15, loss=3.2, accuracy=0.4)
    assert "adapted already: held-out loss 4.000 before, 3.000 after" in said("adapt_found", **FIGURES)
    end = "Adapted in 7.5 epochs, 900 s: held-out loss 4.000 before, 3.000 after; 30.0% and 45.0% of the hidden pieces guessed"
    assert end in said("adapt_end", kept=True, **FIGURES)
    assert "Warning: the base guesses held-out texts no better" in said("adapt_end", kept=False, **FIGURES)
    assert said("adapt_step", part="encoder", step=1, steps=9, loss=3.0, rate=1e-4, pieces=9, seconds=1.0, epoch=1) == ""


def test_on_a_terminal_head_and_encoder_have_a_bar_each():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    report = Report(out)
    for part, steps in (("head", 3), ("encoder", 9)):
        for step in range(1, steps + 1):
            counts = {"part": part, "step": step, "steps": steps, "pieces": 100 * step, "seconds": float(step), "epoch": 1}
            report.event({"event": "adapt_step", "loss": 3.0, "rate": 1e-4, **counts})
    report.close()
    shown = out.getvalue()
    assert "head: 100%" in shown
    assert "encoder: 100%" in shown
    assert "loss 3.000, rate 1.0e-04, 100 pieces/s" in shown


def test_a_log_that_begins_anew_after_an_adaptation_begins_with_that(tmp_path):
    path, before = tmp_path / "metrics.jsonl", tmp_path / "adaptation.jsonl"
    path.write_text('{"event": "stale"}\n', encoding="utf-8")
    before.write_text('{"event": "adapt_start"}\n{"event": "adapt_end"}\n', encoding="utf-8")
    with TrainingLog(path, Report(io.StringIO())) as log:
        log({"event": "adapt_found", **FIGURES})
        log.prologue = before
        log(started())
    assert entries(path) == ["adapt_start", "adapt_end", "start"]
    with TrainingLog(path, Report(io.StringIO())) as log:
        log.prologue = before
        log({"event": "resume", "epoch": 1, "best_f1": 0.5})
    assert entries(path) == ["adapt_start", "adapt_end", "start", "resume"]


def test_that_steps_take_twice_the_time_is_said_at_the_start():
    for size in (0.0, 0.6):
        told = io.StringIO()
        Report(told).event({**started(), "adversarial": size})
        assert ("every step is done twice" in told.getvalue()) == (size > 0)
