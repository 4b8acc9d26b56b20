from __future__ import annotations

import json
from dataclasses import replace
from string import Formatter

import pytest

from viner.console.messages import Messages
from viner.console.train_view import comparison_view, duration, learning_view, obstacle, plots_view, run_view, versions_view
from viner.errors import BundleError, InputError, MissingExtraError, TrainingError
from viner.languages import LANGUAGES
from viner.store import SPLITS, STATUSES, Counts
from viner.studio import Run
from viner.studio.course import PREPARING, PROMOTING
from viner.studio.notes import SENTENCES, Note
from viner.studio.versions import NothingToCompareError

EN, VI = Messages("en"), Messages("vi")
RUN = Run(name="004", state="running", created=0.0, progress=0.42, seconds_left=95, epoch=2, epochs=8, stage="Training")


def counts(labels: dict[str, dict[str, int]] | None = None, **done: int) -> Counts:
    splits = {split: {**dict.fromkeys(STATUSES, 0), "done": done.get(split, 0)} for split in SPLITS}
    return Counts(splits, labels or {})


def test_what_keeps_a_training_from_starting_is_named() -> None:
    assert obstacle(counts(dev=3), EN) == EN("cannot_none")
    assert obstacle(counts({"A": {"accepted": 0, "suggested": 9}}, train=3), EN) == EN("cannot_entities")
    assert obstacle(counts({"A": {"accepted": 1}}, train=3), EN) is None


def test_a_missing_dev_set_is_told_as_soon_as_there_is_something_to_learn() -> None:
    assert EN("few_dev") in learning_view(counts(train=3), EN)
    assert EN("few_dev") not in learning_view(counts(train=3, dev=1), EN)
    assert EN("few_dev") not in learning_view(counts(), EN)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min"), (3_540, "59 min"), (3_600, "1 h 0 min"), (9_000, "2 h 30 min")],
)
def test_time_is_told_in_fitting_units(seconds: float, text: str) -> None:
    assert duration(seconds, EN) == text


def test_a_run_at_work_shows_how_far_it_is_to_eyes_and_to_screen_readers() -> None:
    view = run_view(RUN, EN)
    assert 'aria-valuenow="42"' in view
    assert "epoch 2 of 8" in view
    assert "about 2 min left" in view


def test_a_run_says_whose_smaller_version_it_makes() -> None:
    assert "smaller than 003" in run_view(replace(RUN, options={"distill_from": "/srv/notices/models/003"}), EN)
    assert "nhỏ hơn 003" in run_view(replace(RUN, options={"distill_from": "/srv/notices/models/003"}), VI)
    assert "smaller" not in run_view(RUN, EN)


def test_a_run_says_how_many_texts_it_learns_from_that_nobody_began() -> None:
    run = replace(RUN, counts={**RUN.counts, "texts": 1_234})
    assert "and 1,234 texts that nobody began" in run_view(run, EN)
    assert "1.234 văn bản chưa ai gán" in run_view(run, VI)
    assert "nobody began" not in run_view(RUN, EN)


def test_a_failed_run_says_why_and_what_to_do() -> None:
    error = {"code": "x", "message": "the <disk> is full", "where": "runs/004", "hint": "Free some space"}
    view = run_view(replace(RUN, state="failed", error=error), EN)
    assert "the &lt;disk&gt; is full (runs/004)" in view
    assert "Free some space" in view
    assert "left" not in view


def test_a_finished_run_is_complete_and_says_what_became_of_it() -> None:
    view = run_view(replace(RUN, state="finished", notes=(Note("It serves now"),)), EN)
    assert 'aria-valuenow="100"' in view
    assert view.count("It serves now") == 1


VALUES = {"name": "004", "former": "003", "count": 1_200, "documents": 1_500, "f1": 0.81, "former_f1": 0.8, "reason": "why"}
"""A value for each name in the sentences of notes."""


@pytest.mark.parametrize("code", SENTENCES)
def test_every_note_is_told_in_each_language_and_in_english_as_the_command_line_tells_it(code: str) -> None:
    names = {name for _, name, _, _ in Formatter().parse(SENTENCES[code]) if name}
    note = Note.of(code, **{name: VALUES[name] for name in names})
    assert EN.note(note) == note.message
    told = VI.note(note)
    assert told != note.message
    for name in names - {"reason"}:
        value = VALUES[name]
        shown = value if isinstance(value, str) else VI.number(value) if isinstance(value, int) else VI.decimal(value, 4)
        assert shown in told
    assert told in run_view(replace(RUN, state="finished", notes=(note,)), VI)


def test_a_note_survives_its_state_and_one_of_an_earlier_version_is_told_as_it_is() -> None:
    note = Note.of("model_worse", name="002", former="001", f1=0.5, former_f1=0.75, documents=12)
    assert Note.from_state(json.loads(json.dumps(note.to_dict()))) == note
    earlier = "Model 001 is the first, and now in service."
    for state in (earlier, {"message": earlier}, {"code": "later", "values": {}, "message": earlier}):
        assert VI.note(Note.from_state(state)) == earlier
    assert Note.from_state({"code": "model_worse", "values": {"name": "002"}, "message": "x"}) == Note("x")


def test_why_two_models_could_not_be_compared_is_told_in_the_language() -> None:
    error = NothingToCompareError("the 3 done documents of dev have no entity to compare on")
    note = Note.of("model_uncompared", name="2", former="1", reason=error.message, reason_code=error.code)
    assert EN.note(note) == note.message
    assert VI("error_nothing_to_compare").rstrip(".") in VI.note(note)
    assert "entity" not in VI.note(note)


ERRORS = {cls.code for cls in (BundleError, InputError, MissingExtraError, TrainingError, NothingToCompareError)}


@pytest.mark.parametrize("code", [*sorted(ERRORS), "training_killed", "unheard_of"])
def test_faults_of_runs_and_versions_are_told_in_vietnamese_with_the_english_as_a_detail(code: str) -> None:
    error = {"code": code, "message": "something broke", "where": "runs/004", "hint": "Mend it"}
    run, versions = replace(RUN, state="failed", error=error), [{"name": "002", "error": error}]
    for view in (run_view(run, VI), versions_view(versions, VI)):
        assert "Mend it" not in view
        assert f"{VI('detail')}: something broke" in view
    for view in (run_view(run, EN), versions_view(versions, EN)):
        assert "something broke" in view
        assert EN("detail") not in view


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["starting", "running", "stopping", "stopped", "failed", "finished"])
def test_every_state_has_its_word(language: str, state: str) -> None:
    say = Messages(language)
    assert say(f"run_{state}") in run_view(replace(RUN, state=state), say)  # type: ignore[arg-type]


def test_steps_of_all_epochs_make_one_line_and_epochs_the_other() -> None:
    step = {"event": "step", "epochs": 2, "steps": 10}
    events = [
        {**step, "epoch": 1, "step": 5, "loss": 1.0},
        {**step, "epoch": 1, "step": 6, "loss": None},
        {"event": "epoch", "epoch": 1, "dev": {"f1": 0.5}},
        {**step, "epoch": 2, "steps": 12, "step": 2, "loss": 0.7},
        {**step, "epoch": 2, "steps": 12, "step": 12, "loss": 0.5},
        {"event": "stage", "name": "Evaluating"},
    ]
    view = plots_view(events, EN)
    assert "last 0.500, lowest 0.500, highest 1.000" in view
    assert ">22</text>" in view
    assert plots_view([], EN) == ""


def test_versions_come_newest_first_with_their_faults() -> None:
    versions = [
        {"name": "001", "active": True, "metrics": {"dev": 0.5}, "documents": 1200, "created": "2026-03-01T08:30:00+00:00"},
        {"name": "002", "active": False, "error": {"message": "model.onnx is <missing>"}, "missing": ["AGE"]},
    ]
    view = versions_view(versions, EN)
    assert view.index("002") < view.index("001")
    assert view.count(EN("active")) == 1
    assert "0.500" in view
    assert "1,200" in view
    assert "model.onnx is &lt;missing&gt;" in view
    assert "does not know: AGE" in view
    assert "measured with" not in view


def test_figures_of_another_engine_are_told() -> None:
    view = versions_view([{"name": "003", "engine": "int8", "measured_with": "fp32", "metrics": {"dev": 0.5}}], EN)
    assert "Its figures were measured with fp32." in view


def test_a_comparison_says_for_each_label_which_is_better() -> None:
    comparison = {
        "a": "001",
        "b": "002",
        "documents": 14,
        "p_value": 0.031,
        "overall": {"a": 0.7, "b": 0.8, "support": 22},
        "labels": {"PERSON": {"a": 0.8, "b": 0.75, "support": 10}, "AGE": {"a": None, "b": 0.5, "support": 4}},
    }
    view = comparison_view(comparison, ["PERSON"], EN)
    assert 'better">+0.100' in view
    assert 'worse">−0.050' in view
    assert view.count("viner-delta") == 2  # a label that one does not know has no difference
    assert "3.1 %" in view


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_run_says_what_it_does_and_since_when_from_its_first_moment(language: str) -> None:
    say = Messages(language)
    run = replace(RUN, state="starting", stage=None, begun=1_000.0, epoch=None, seconds_left=None)
    assert f"{say('stage_starting')} · {say('run_since', time=duration(75, say))}" in run_view(run, say, now=1_075.0)
    for stage, key in ((PREPARING, "stage_reading"), ("Evaluating", "stage_evaluating"), (PROMOTING, "stage_promoting")):
        view = run_view(replace(RUN, stage=stage), say)
        assert say(key) in view
        assert say("run_epoch", epoch=2, epochs=8) not in view


def test_figures_of_a_few_documents_are_told_to_say_little() -> None:
    assert EN("few_dev_done", documents="4") in learning_view(counts(train=3, dev=4), EN)
    assert "say little" not in learning_view(counts(train=3, dev=5), EN)
    comparison = {"a": "001", "b": "002", "documents": 5, "overall": {"a": 0.7, "b": 0.8, "support": 20}, "labels": {}}
    assert EN("few_compared") not in comparison_view(comparison, [], EN)
    assert EN("few_compared") in comparison_view({**comparison, "documents": 4}, [], EN)
    assert EN("few_compared") in comparison_view({**comparison, "overall": {"a": 0.7, "b": 0.8, "support": 19}}, [], EN)
