"""``viner train --refit``: what dev has decided holds for a model that learns dev as well."""

import io
import json
from dataclasses import replace

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from support.bases import toy_documents
from training.conftest import stop_at
from viner.bundle import read_bundle
from viner.cli.main import main
from viner.cli.options import Duration
from viner.errors import InputError, TrainingError
from viner.evaluation import evaluate_model
from viner.formats import read, write
from viner.runtime import Recognizer
from viner.training.config import TrainingConfig
from viner.training.scoring import DevSet
from viner.training.selection import LastOfRefit, Plan
from viner.training.trainer import Trainer
from viner.workflow import Report, choose, train_model
from viner.workflow.fingerprint import fingerprint
from viner.workflow.recalibrate import recalibrate_model

pytestmark = pytest.mark.xdist_group("refit")  # one process makes what the tests share

CHOICES = {"epochs": 3, "learning_rate": 1e-2, "head_multiplier": 3.0, "precision": "fp32", "batch_pieces": 128}
CHOICES |= {"layer_decay": 1.0, "replace_mentions": 0.0, "harden": 0.0}


def same_engine_again(patch):
    """Few sentences to compare engines on, and no clock: noise would choose float32 and the cascade by turns."""
    patch.setattr(choose, "SENTENCES", 60)
    patch.setattr(choose, "_times_as_fast", lambda *_: 2.0)


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch):
    same_engine_again(monkeypatch)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    for split, count, seed in (("train", 150, 1), ("dev", 60, 2), ("test", 40, 3)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    return folder


def learn(out, base, files, **options):
    report = io.StringIO()
    given = {f"{split}": files / f"{split}.jsonl" for split in ("train", "dev", "test")}
    return train_model(**{**given, "base": base, **CHOICES, **options}, out=out, report=Report(report)), report.getvalue()


@pytest.fixture(scope="module")
def both(tmp_path_factory, base, files):
    """A model, the one that a refit makes of the same files, and what was reported of that."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        same_engine_again(patch)
        plain, _ = learn(folder / "plain", base, files)
        again, told = learn(folder / "again", base, files, refit=True)
    assert sorted(item.name for item in folder.iterdir()) == ["again", "plain"]
    return plain, again, told


def events(model):
    log = [json.loads(line) for line in (model / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    return [event for event in log if event["event"] != "step"], [event for event in log if event["event"] == "step"]


def test_what_was_decided_is_decided_by_a_model_that_had_not_seen_dev(both):
    plain, again = (read_bundle(path).info for path in both[:2])
    assert again.metrics["dev_before_refit"] == plain.metrics["dev"]
    assert "dev" not in again.metrics  # nobody takes it for what this model reaches
    assert (again.engine, again.calibration, again.least_estimate) == (plain.engine, plain.calibration, plain.least_estimate)
    assert again.metrics["calibration"] == plain.metrics["calibration"]
    assert again.evidence["same_share"] == plain.evidence["same_share"]


def test_the_model_has_learned_dev_and_test_is_scored_by_it_alone(both, files):
    plain, again = both[:2]
    read_bundle(again).verify()
    assert read_bundle(again).info.files["model.safetensors"] != read_bundle(plain).info.files["model.safetensors"]
    found = evaluate_model(Recognizer.load(again), read(files / "test.jsonl"))
    assert read_bundle(again).info.metrics["test"]["micro"] == found.to_dict()["micro"]
    assert (again / "training.jsonl").is_file()


def test_it_learns_as_many_documents_as_there_are_for_as_many_epochs(both):
    others, steps = events(both[1])
    assert [event["event"] for event in others] == ["start", "epoch", "epoch", "epoch", "end"] * 2
    starts = [event for event in others if event["event"] == "start"]
    assert [event["documents"] for event in starts] == [150, 210]
    assert [event["epochs"] for event in starts] == [3, 3]
    assert [event["total"] for event in steps] == sorted({event["total"] for event in steps})  # one curve for a tracker
    seconds = sum(event["seconds"] for event in others[5:] if event["event"] == "epoch")
    assert read_bundle(both[1]).info.metrics["training"]["seconds"] == pytest.approx(seconds, abs=0.11)


def test_no_score_on_what_was_learned_is_told(both):
    others, _ = events(both[1])
    again = others[5:]
    assert [event["dev"] for event in again if event["event"] == "epoch"] == [None] * 3
    assert again[-1]["dev_f1"] is None
    _, told = both[2].split("Beginning anew, with dev as well")
    assert "Training on 210 documents" in told
    assert "Learned dev as well: 3 epochs" in told
    assert "dev F1" not in told
    assert "best so far" not in told
    assert "On test:" in told


def test_folder_and_card_say_so(both, files):
    info = read_bundle(both[1]).info
    assert info.data["refit"] is True
    parts = {split: list(read(files / f"{split}.jsonl")) for split in ("train", "dev")}
    assert info.data["train"] == fingerprint(parts["train"])
    assert info.data["dev"] == fingerprint(parts["dev"])
    assert info.data["train_and_dev"] == fingerprint([*parts["train"], *parts["dev"]])
    cards = [(path / "README.md").read_text(encoding="utf-8") for path in both[:2]]
    for part in ("It learned train and dev together", "### dev_before_refit", "and the calibration of scores are that one's"):
        assert [part in card for card in cards] == [False, True]
    front = cards[1].split("---")[1]
    assert "split: test" in front
    assert "split: dev" not in front  # of other weights, for whoever reads figures without their text


def test_what_is_changed_later_is_not_said_of_the_model_before_it(tmp_path, both, files):
    copy = tmp_path / "copy"
    recalibrate_model(both[1], list(read(files / "test.jsonl")), out=copy)
    card = (copy / "README.md").read_text(encoding="utf-8")
    assert "The figures called dev_before_refit are that one's" in card
    assert "Compared was the model before this one" in card


def test_scores_are_not_fitted_to_what_it_learned(both, files):
    for split in ("train", "dev"):
        with pytest.raises(InputError, match="learned from these documents"):
            recalibrate_model(both[1], list(read(files / f"{split}.jsonl")), dry_run=True)
    recalibrate_model(both[1], list(read(files / "test.jsonl")), dry_run=True)
    recalibrate_model(both[0], list(read(files / "dev.jsonl")), dry_run=True)  # the other one did not learn it


def test_killed_on_the_way_it_goes_on_where_it_stopped(tmp_path, base, files, both, monkeypatch):
    made = Trainer.__init__

    def stopped(self, *args, **options):
        made(self, *args, **options)
        if options["refit"] is not None:
            observe = self._observe
            stop_at(self, "epoch", 2)
            stop = self._observe
            self._observe = lambda event: (observe(event), stop(event))

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "__init__", stopped)
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path / "m", base, files, refit=True)
    assert [item.name for item in tmp_path.iterdir()] == ["m.training"]
    assert not (tmp_path / "m.training" / "scratch").exists()
    path, told = learn(tmp_path / "m", base, files, refit=True)
    assert told.count("Going on after epoch") == 2  # the first training, which is over, and the second
    assert "Going on after epoch 2\n" in told
    assert [item.name for item in tmp_path.iterdir()] == ["m"]
    files_of = [read_bundle(item).info.files["model.safetensors"] for item in (path, both[1])]
    assert files_of[0] == files_of[1]
    assert read_bundle(path).info.metrics["dev_before_refit"] == read_bundle(both[1]).info.metrics["dev_before_refit"]


def test_who_stops_a_refit_may_still_have_the_model_before_it(tmp_path, base, files, both, monkeypatch):
    made = Trainer.__init__

    def stopped(self, *args, **options):
        made(self, *args, **options)
        if options["refit"] is not None:
            stop_at(self, "epoch", 1)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "__init__", stopped)
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path / "m", base, files, refit=True)
    path, told = learn(tmp_path / "m", base, files)
    assert "Going on after epoch 3" in told
    assert (path / "training.jsonl").is_file()
    assert read_bundle(path).info.files["model.safetensors"] == read_bundle(both[0]).info.files["model.safetensors"]


def test_without_dev_all_of_the_file_is_learned_in_the_end(tmp_path, base, files):
    path, told = learn(tmp_path / "m", base, files, dev=None, test=None, refit=True, epochs=1)
    info = read_bundle(path).info
    assert [info.data[split]["documents"] for split in ("train", "dev")] == [135, 15]
    assert info.data["train_and_dev"] == fingerprint(read(files / "train.jsonl"))
    assert "Training on 150 documents" in told
    assert "On dev, the model before it, which had not learned dev:" in told


def test_patience_tells_how_long_it_learns(tmp_path, base, files):
    path, _ = learn(tmp_path / "m", base, files, refit=True, epochs=12, patience=1)
    others, _ = events(path)
    ends = [event for event in others if event["event"] == "end"]
    scored = [event["dev"]["f1"] for event in others if event["event"] == "epoch" and event["dev"]]
    assert len(scored) < 12
    assert ends[1]["best_epoch"] == ends[0]["best_epoch"] == scored.index(max(scored)) + 1


def test_both_trainings_share_a_budget(tmp_path, base, files, monkeypatch):
    budgets = []
    made = Trainer.__init__

    def noted(self, *args, **options):
        made(self, *args, **options)
        budgets.append(self._config.budget_minutes)

    monkeypatch.setattr(Trainer, "__init__", noted)
    learn(tmp_path / "m", base, files, refit=True, epochs=1, budget_minutes=4.0)
    assert budgets == [2.0, 2.0]


def test_a_model_that_falls_silent_is_noticed_though_dev_chooses_nothing(tmp_path, base, files, monkeypatch):
    from viner.training import trainer as module

    monkeypatch.setattr(module, "_STEPS_TO_TELL", 5)
    good = Trainer._collapsed
    seen = []

    def once(self, state, loss, scores):
        found = good(self, state, loss, scores)
        if isinstance(self._selection, LastOfRefit) and not seen:
            assert scores is not None
            seen.append(state.epoch)
            return True
        return found

    monkeypatch.setattr(Trainer, "_collapsed", once)
    path, _ = learn(tmp_path / "m", base, files, refit=True)
    others, _ = events(path)
    (collapse,) = [event for event in others if event["event"] == "collapse"]
    assert collapse["rate"] == pytest.approx(4e-3)
    assert [event["epoch"] for event in others if event["event"] == "epoch"] == [1, 2, 3, 1, 2, 3]


def test_a_model_that_finds_nothing_is_not_written_in_the_place_of_one_that_does(tmp_path, base, files, monkeypatch):
    good = DevSet.score
    rounds = []

    def silent(self, *args):
        scores = good(self, *args)
        rounds.append(scores)
        if len(rounds) <= 4:  # three epochs and the end; what follows is the refit
            return scores
        return replace(scores, micro=replace(scores.micro, predicted=0))

    with monkeypatch.context() as patch:
        patch.setattr(DevSet, "score", silent)
        with pytest.raises(TrainingError, match="finds nothing") as caught:
            learn(tmp_path / "m", base, files, refit=True)
    assert "Without --refit the same command writes the model before it" in caught.value.hint
    path, told = learn(tmp_path / "m", base, files)
    assert "Going on after epoch 3" in told
    assert "refit" not in read_bundle(path).info.data


def test_with_a_budget_the_hint_names_the_one_that_finds_the_model_before_it(tmp_path, base, files, monkeypatch):
    good = DevSet.score
    rounds = []

    def silent(self, *args):
        scores = good(self, *args)
        rounds.append(scores)
        return scores if len(rounds) <= 4 else replace(scores, micro=replace(scores.micro, predicted=0))

    with monkeypatch.context() as patch:
        patch.setattr(DevSet, "score", silent)
        with pytest.raises(TrainingError, match="finds nothing") as caught:
            learn(tmp_path / "m", base, files, refit=True, budget_minutes=5.0)
    assert "Without --refit, and with --budget 2.5m, the same command writes the model before it" in caught.value.hint
    _, told = learn(tmp_path / "m", base, files, budget_minutes=Duration().convert("2m30s", None, None))
    assert "Going on after epoch 3" in told


@pytest.mark.parametrize("given", ["4m", "5m", "7s", "100s", "1h1m7s", "1.5h", "1h30m", "13", "0.3", "2h10m50s"])
def test_half_of_any_budget_can_be_said(given):
    half = Duration().convert(given, None, None) / 2
    selection = LastOfRefit(Plan(1e-3, 3, 10, True))
    selection.configured(TrainingConfig(budget_minutes=half))
    option = selection.hint.partition("--budget ")[2].partition(",")[0]
    assert Duration().convert(option, None, None) == half


def test_patience_that_ends_nothing_shortens_nothing(tmp_path, base, files):
    path, _ = learn(tmp_path / "m", base, files, refit=True, patience=99)
    others, _ = events(path)
    assert [event["best_epoch"] for event in others if event["event"] == "end"][1] == 3


def test_no_model_is_distilled_from_one_that_has_learned_its_dev(tmp_path, base, files, both):
    with pytest.raises(InputError, match="has learned these documents") as caught:
        learn(tmp_path / "m", None, files, distill_from=both[1], layers=1)
    assert caught.value.where == str(files / "dev.jsonl")
    assert not (tmp_path / "m.training").exists()
    _, told = learn(tmp_path / "n", base, files, teacher=both[1], epochs=1)
    assert f"Warning: the teacher {both[1]} has learned the documents of {files / 'dev.jsonl'}" in told
    _, told = learn(tmp_path / "o", base, files, teacher=both[0], epochs=1)
    assert "Warning: the teacher" not in told


@pytest.mark.parametrize("how", [{"seed": 2}, {"refit": True}])
def test_a_teacher_of_the_same_file_that_set_others_aside_or_none_has_learned_dev(tmp_path, base, files, how):
    train = files / "train.jsonl"
    quick = {"dev": None, "test": None, "epochs": 1, "seed": 1}
    teacher, _ = learn(tmp_path / "teacher", base, files, **{**quick, **how})
    with pytest.raises(InputError, match="has learned these documents") as caught:
        learn(tmp_path / "m", None, files, **quick, distill_from=teacher, layers=1)
    assert caught.value.where == str(train)
    _, told = learn(tmp_path / "n", base, files, **quick, teacher=teacher)
    assert f"Warning: the teacher {teacher} has learned the documents of {train}" in told


def test_a_teacher_that_set_the_same_documents_aside_has_not_learned_them(tmp_path, base, files):
    quick = {"dev": None, "test": None, "epochs": 1}
    teacher, _ = learn(tmp_path / "teacher", base, files, **quick)
    _, told = learn(tmp_path / "n", base, files, **quick, teacher=teacher)
    assert "Warning: the teacher" not in told


def test_trackers_see_both_trainings_as_one_curve_also_if_the_second_is_stopped(tmp_path, base, files, monkeypatch):
    made = Trainer.__init__

    def stopped(self, *args, **options):
        made(self, *args, **options)
        if options["refit"] is not None:
            stop_at(self, "epoch", 2)
            stop = self._observe
            self._observe = lambda event: (options["observe"](event), stop(event))

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "__init__", stopped)
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path / "m", base, files, refit=True, track=["tensorboard"])
    learn(tmp_path / "m", base, files, refit=True, track=["tensorboard"])
    shown = EventAccumulator(str(tmp_path / "m.tracking"))
    shown.Reload()
    told = [int(event.value) for event in shown.Scalars("epoch")]
    assert told == [1, 2, 3, 1, 2, 3]
    steps = [event.step for event in shown.Scalars("epoch")]
    assert steps == sorted(set(steps))


def test_on_the_command_line(tmp_path, base, files, capsys):
    choices = tmp_path / "choices.toml"
    choices.write_text("learning_rate = 1e-2\nhead_multiplier = 3.0\nlayer_decay = 1.0\n", encoding="utf-8")
    command = ["train", "--train", str(files / "train.jsonl"), "--dev", str(files / "dev.jsonl"), "--out", str(tmp_path / "m")]
    command += ["--base", str(base), "--epochs", "1", "--precision", "fp32", "--choices", str(choices), "--refit"]
    assert main(command) == 0
    assert read_bundle(tmp_path / "m").info.data["refit"] is True


def test_a_project_whose_models_are_compared_on_dev_refuses_it(tmp_path, capsys):
    assert main(["init", str(tmp_path / "p"), "--language", "vi", "--types", "PERSON"]) == 0
    source = tmp_path / "some.jsonl"
    write(toy_documents(5), source)
    main(["import", str(source), "--project", str(tmp_path / "p")])
    capsys.readouterr()
    assert main(["train", "--project", str(tmp_path / "p"), "--refit"]) == 2
    assert "--refit does not go with a project that has a store" in capsys.readouterr().err
