from __future__ import annotations

import io
import json
import os
import shutil
import sys
import tomllib
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from support.bases import toy_documents, with_other_weights
from viner.errors import InputError, MissingExtraError, TrainingError, UsageError
from viner.formats import write
from viner.training.config import TrainingConfig, default_learning_rate
from viner.workflow import Report, search
from viner.workflow.search import search_choices
from viner.workflow.trial import GivenUpError

pytest.importorskip("optuna")

SPACE = ("learning_rate=1e-4..1e-2", "dropout=0,0.1,0.2")
QUICK = ("epochs=2", "batch_pieces=400", "precision=fp32")


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    for split, count, seed in (("train", 60, 1), ("dev", 15, 2)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    return folder


@pytest.fixture
def look(tmp_path, base, toys):
    """Searches, and returns what was found and what was said."""

    def call(out="found", **options):
        said = io.StringIO()
        files = {"train": toys / "train.jsonl", "dev": toys / "dev.jsonl"}
        given = {**files, "base": base, "space": SPACE, "report": Report(said), **options}
        try:
            return search_choices(out=tmp_path / out, **given), said.getvalue()
        except BaseException as error:
            error.said = said.getvalue()
            raise

    return call


@pytest.fixture
def pretend(monkeypatch):
    """Trainings of four epochs that cost nothing: the nearer the rate is to 1e-3, the better. Returns their configurations."""
    tried: list[TrainingConfig] = []

    def goodness(config):
        return 1 / (1 + abs((config.learning_rate or 1e-2) - 1e-3) * 1000)

    def try_training(material, config, place, observe):
        tried.append(config)
        observe({"event": "start", "epochs": 4})
        for epoch in range(1, 5):
            observe(
                {"event": "step", "epoch": epoch, "epochs": 4, "step": 1, "steps": 1, "loss": 1.0, "pieces": 1, "seconds": 1}
            )
            pretend.between(config, epoch)
            observe({"event": "epoch", "epoch": epoch, "dev": {"f1": goodness(config) * epoch / 4}})
        observe({"event": "end"})
        return SimpleNamespace(scores=SimpleNamespace(micro=SimpleNamespace(f1=goodness(config))))

    pretend = SimpleNamespace(tried=tried, goodness=goodness, between=lambda config, epoch: None)
    monkeypatch.setattr(search, "try_training", try_training)
    monkeypatch.setattr(search, "_open_study", hasty(search._open_study))
    return pretend


def hasty(open_study):
    """Opens studies that do not wait for the disk, which other tests keep busy."""

    @contextmanager
    def opened(*arguments):
        with open_study(*arguments) as study:
            with study._storage._backend.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA synchronous = OFF")
            yield study

    return opened


def test_trainings_are_made_and_the_best_choices_can_be_used(look, tmp_path):
    found, said = look(trials=2, space=(*SPACE, *QUICK), seed=3)
    folder = tmp_path / "found"
    assert sorted(path.name for path in folder.iterdir()) == ["best.toml", "lock", "search.json", "study.db"]
    assert [(trial.number, trial.state, trial.epochs) for trial in found.trials] == [(1, "complete", 2), (2, "complete", 2)]
    assert (found.documents, found.planned) == ((60, 15), 2)
    chosen = tomllib.loads((folder / "best.toml").read_text(encoding="utf-8"))
    assert chosen == {"epochs": 2, "batch_pieces": 400, "precision": "fp32", "seed": 3, **found.best.choices}
    TrainingConfig(**chosen)
    assert json.loads((folder / "search.json").read_text(encoding="utf-8")) == json.loads(json.dumps(found.to_dict()))
    assert "Trial 2 of 2: learning_rate" in said


def test_the_first_trial_is_the_default_recipe_and_the_best_one_is_found(look, pretend):
    found, said = look(trials=12, space=("learning_rate=1e-4..1e-1", "dropout=0,0.1,0.2"))
    assert pretend.tried[0].learning_rate > 0.05  # the default of so narrow a base
    assert pretend.tried[0].dropout == TrainingConfig().dropout
    assert "Trial 1 of 12 (the defaults)" in said
    assert {config.seed for config in pretend.tried} == {1}
    best = max(pretend.tried, key=pretend.goodness)
    assert found.best.dev_f1 == pytest.approx(pretend.goodness(best))
    assert found.best.choices == {"learning_rate": best.learning_rate, "dropout": best.dropout}
    table = found.to_markdown()
    first, second = table.splitlines()[2:4]
    assert first.split("|")[1].strip() == str(found.best.number)
    assert float(first.split("|")[3]) >= float(second.split("|")[3])


@pytest.mark.parametrize(("ranks", "adapters"), [("lora=4", True), ("lora=4,8", True), ("lora=none,8", False)])
def test_the_default_of_adapters_is_theirs(look, pretend, ranks, adapters):
    _, said = look(trials=1, space=("learning_rate=1e-4..1", ranks))
    assert pretend.tried[0].learning_rate == pytest.approx(default_learning_rate(32, adapters=adapters), rel=0.01)
    assert default_learning_rate(32, adapters=True) == pytest.approx(4 * default_learning_rate(32))
    assert ("Trial 1 of 1 (the defaults)" in said) == (ranks != "lora=4,8"), "a rank is no default"


def test_what_lies_behind_is_given_up_and_never_the_best(look, pretend):
    found, said = look(trials=10)
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    assert all(2 <= trial.epochs < 4 for trial in pruned)
    assert min(trial.number for trial in pruned) > search._SPARED_TRIALS
    assert found.best.state == "complete"
    assert "given up after epoch" in said


def test_choices_that_matter_are_told_once_there_are_enough_trials(look, pretend, monkeypatch):
    monkeypatch.setattr(search, "_ENOUGH_TO_WEIGH", 6)
    found, _ = look(trials=12)
    assert next(iter(found.importance)) == "learning_rate"
    assert sum(found.importance.values()) == pytest.approx(1, abs=1e-3)
    assert "What sets good trials apart (PED-ANOVA): learning_rate" in found.to_markdown()
    few, _ = look("few", trials=3)
    assert few.importance == {}


def choices_of(found):
    return [(trial.number, trial.state, dict(trial.choices), trial.dev_f1) for trial in found.trials]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_search_goes_on_as_if_nothing_had_been(look, pretend, tmp_path, stop):
    whole, _ = look("whole", trials=6)
    del pretend.tried[:]

    def interrupt(config, epoch):
        if len(pretend.tried) == 5 and epoch == 3:
            raise stop

    pretend.between = interrupt
    with pytest.raises(stop) as caught:
        look(trials=6)
    assert "Stopped after 4 of 6 trials, the best so far is trial" in caught.value.said
    assert len(json.loads((tmp_path / "found" / "search.json").read_text(encoding="utf-8"))["trials"]) == 4
    pretend.between = lambda config, epoch: None
    found, said = look(trials=6)
    assert "Going on after trial 4" in said
    assert len(pretend.tried) == 5 + 2
    assert choices_of(found) == choices_of(whole)


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_search_goes_on_as_if_nothing_had_been(look, pretend, at):
    whole, _ = look("whole", trials=4)
    del pretend.tried[:]
    child = os.fork()
    if child == 0:
        pretend.between = lambda config, epoch: os._exit(9) if len(pretend.tried) == at and epoch == 3 else None
        look(trials=4)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    found, _ = look(trials=4)
    assert len(pretend.tried) == 4 - (at - 1)
    assert choices_of(found) == choices_of(whole)


def test_an_interrupted_trial_goes_on_from_its_last_epoch(look, monkeypatch, tmp_path):
    from viner.training.trainer import Trainer

    space = (*SPACE, *QUICK)
    whole, _ = look("whole", trials=1, space=space)
    events = []
    once = [KeyboardInterrupt]
    emit = Trainer._emit

    def watched(self, event, **given):
        events.append(event)
        emit(self, event, **given)
        if event == "epoch" and once:
            raise once.pop()

    monkeypatch.setattr(Trainer, "_emit", watched)
    with pytest.raises(KeyboardInterrupt):
        look(trials=1, space=space)
    assert (tmp_path / "found" / "trial" / "checkpoint.pt").is_file()
    found, _ = look(trials=1, space=space)
    assert [event for event in events if event != "step"] == ["start", "epoch", "resume", "start", "epoch", "end"]
    assert choices_of(found) == choices_of(whole)
    assert not (tmp_path / "found" / "trial").exists()


def test_the_pruner_sees_the_epochs_before_an_interruption_as_well(look, monkeypatch, tmp_path):
    from viner.training.trainer import Trainer

    space = (*SPACE, "epochs=3", *QUICK[1:])
    once = [KeyboardInterrupt]
    emit = Trainer._emit

    def watched(self, event, **given):
        emit(self, event, **given)
        if event == "epoch" and given["epoch"] == 2 and once:
            raise once.pop()

    def reported(out):
        with search._open_study(tmp_path / out, {}) as study:
            return [trial.intermediate_values for trial in study.trials if trial.state.name == "COMPLETE"]

    look("whole", trials=1, space=space)
    monkeypatch.setattr(Trainer, "_emit", watched)
    with pytest.raises(KeyboardInterrupt):
        look(trials=1, space=space)
    look(trials=1, space=space)
    assert [list(values) for values in reported("found")] == [[1, 2, 3]]
    assert reported("found") == reported("whole")


def test_a_trial_that_is_given_up_leaves_nothing(look, monkeypatch, tmp_path):
    monkeypatch.setattr(search._Watch, "_judge", lambda self, epoch, f1: (_ for _ in ()).throw(GivenUpError))
    with pytest.raises(TrainingError):
        look(trials=1, space=(*SPACE, *QUICK))
    assert not (tmp_path / "found" / "trial").exists()


def test_more_trials_go_on_with_the_search(look, pretend):
    first, _ = look(trials=3)
    more, _ = look(trials=5)
    assert choices_of(more)[:3] == choices_of(first)
    again, _ = look(trials=5)
    assert (choices_of(again), len(pretend.tried)) == (choices_of(more), 5)


def test_a_trial_that_fails_is_told_and_the_others_are_made(look, pretend):
    def fail(config, epoch):
        if len(pretend.tried) == 2:
            raise TrainingError("the model learns nothing", hint="try")

    pretend.between = fail
    found, said = look(trials=4)
    assert [trial.state for trial in found.trials] == ["complete", "failed", "complete", "complete"]
    assert (found.trials[1].problem, found.trials[1].dev_f1) == ("the model learns nothing", None)
    assert "failed: the model learns nothing" in said
    assert "Trial 2 failed: the model learns nothing" in found.to_markdown()


def test_choices_that_exclude_each_other_are_a_failed_trial(look, pretend, monkeypatch):
    check = TrainingConfig.__post_init__

    def together(self):
        check(self)
        if self.dropout == 0.2 and self.warmup == 0.2 and self.epochs == 2:
            raise UsageError("these do not go together")

    monkeypatch.setattr(TrainingConfig, "__post_init__", together)
    found, _ = look(trials=8, space=("dropout=0.1,0.2", "warmup=0.1,0.2", "epochs=2"))
    problems = {(trial.choices["dropout"], trial.choices["warmup"]): trial.problem for trial in found.trials}
    assert problems.pop((0.2, 0.2)) == "these do not go together"
    assert set(problems.values()) == {None}


def test_a_window_without_room_for_text_is_a_failed_trial(look):
    found, _ = look(trials=5, space=("window_pieces=2,64", "epochs=1", "precision=fp32"))
    problems = {trial.choices["window_pieces"]: trial.problem for trial in found.trials}
    assert "no room for text" in problems[2]
    assert problems[64] is None


def test_when_all_fail_the_search_fails_and_says_why(look, pretend):
    def fail(config, epoch):
        raise TrainingError("the model learns nothing")

    pretend.between = fail
    for _ in range(2):
        with pytest.raises(TrainingError, match="all 3 trials failed, the last one: the model learns nothing") as caught:
            look(trials=3)
        assert caught.value.hint
    assert len(pretend.tried) == 3


def test_an_error_of_the_disk_ends_the_search_and_is_no_failed_trial(look, pretend):
    def fail(config, epoch):
        raise TrainingError("the checkpoint cannot be written", where="place")

    pretend.between = fail
    with pytest.raises(TrainingError, match="cannot be written"):
        look(trials=3)
    assert len(pretend.tried) == 1
    pretend.between = lambda config, epoch: None
    found, _ = look(trials=3)
    assert [trial.state for trial in found.trials] == ["complete"] * 3


def test_the_time_bounds_all_calls_together(look, pretend, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(search.time, "monotonic", lambda: clock[0])

    def ten_seconds(config, epoch):
        clock[0] += 10

    pretend.between = ten_seconds
    with pytest.raises(TrainingError, match="the time was up before a trial was done") as caught:
        look(trials=5, budget_minutes=0.5)
    assert "larger --budget" in caught.value.hint
    found, said = look(trials=5, budget_minutes=2)  # 30 of the 120 seconds are gone
    assert len(found.trials) == 2
    assert "The time is up after 2 of 5 trials" in said
    found, said = look(trials=5)
    assert len(found.trials) == 5
    assert "about 80 s left" in said


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"space": ("dropout=0,0.1,0.3",)}, "space"),
        ({"seed": 2}, "seed"),
        ({"dev": None}, "data"),
    ],
)
def test_a_folder_belongs_to_one_search(look, pretend, tmp_path, changed, named):
    look(trials=1)
    with pytest.raises(UsageError, match=f"a search with another {named}") as caught:
        look(trials=2, **changed)
    assert caught.value.where == str(tmp_path / "found")
    assert len(pretend.tried) == 1


def test_a_base_of_the_same_name_is_another_one(look, pretend, base, tmp_path):
    look(trials=1)
    with pytest.raises(UsageError, match="a search with another base"):
        look(trials=2, base=with_other_weights(base, tmp_path / "other" / base.name))
    look(trials=2, base=shutil.copytree(base, tmp_path / "moved"))
    assert len(pretend.tried) == 2


def test_two_searches_in_one_folder_are_refused(look, pretend):
    refused = []

    def second(config, epoch):
        if not refused:
            with pytest.raises(TrainingError, match="another search is at work here") as caught:
                look(trials=2)
            refused.append(caught.value.hint)

    pretend.between = second
    found, _ = look(trials=2)
    assert (len(found.trials), len(refused)) == (2, 1)


def test_a_folder_with_something_else_is_left_alone(look, pretend, tmp_path):
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="it holds something else than a search"):
        look(trials=1)
    assert [path.name for path in (tmp_path / "found").iterdir()] == ["thesis.tex"]
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be made"):
        look("file", trials=1)


def test_a_study_that_is_damaged_is_told_by_its_place(look, pretend, tmp_path):
    look(trials=1)
    (tmp_path / "found" / "study.db").write_bytes(b"no database at all, but long enough to look like one" * 50)
    with pytest.raises(InputError, match="the study cannot be read") as caught:
        look(trials=2)
    assert caught.value.where == str(tmp_path / "found" / "study.db")


@pytest.mark.parametrize("name", ["a b", "50%", "{x}", "what?a=b", "dấu", "a#b"])
def test_folders_may_have_any_name(look, pretend, tmp_path, name):
    found, _ = look(name, trials=2)
    assert len(found.trials) == 2
    assert (tmp_path / name / "study.db").is_file()
    assert len(look(name, trials=3)[0].trials) == 3
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_cannot_be_is_said_before_a_folder_is_made(look, pretend, toys, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="there is no choice"):
        look(space=("speed=1..2",))
    with pytest.raises(InputError, match="there is no such file"):
        look(dev=toys / "no.jsonl")
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match="searching choices needs the extra 'search'"):
        look()
    assert list(tmp_path.iterdir()) == []
