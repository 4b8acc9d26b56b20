import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from support.bases import LABELS, tiny_base, toy_documents, with_other_weights
from training.conftest import RECIPE, stop_at
from viner.document import Document
from viner.errors import BundleError, InputError, TrainingError, UsageError
from viner.training import trainer as module
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig, default_learning_rate
from viner.training.trainer import Trainer

TESTS = Path(__file__).parents[1]


def run(trainer, folder):
    with TrainingFolder(folder) as entered:
        return trainer.run(entered)


def of(events, kind):
    return [event for event in events if event["event"] == kind]


def same_weights(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_toy_task_is_learned_in_seconds(trainer, tmp_path):
    made, events = trainer()
    result = run(made, tmp_path / "t")
    assert result.scores.micro.f1 > 0.9
    assert [entry["epoch"] for entry in result.history] == [1, 2, 3, 4, 5, 6]
    (end,) = of(events, "end")
    assert end["dev_f1"] == result.scores.micro.f1 == max(entry["dev"]["f1"] for entry in result.history)
    assert not of(events, "collapse")
    rates = [event["rate"] for event in of(events, "step")]
    assert max(rates) == pytest.approx(1e-2, rel=0.1)
    assert rates.index(max(rates)) < len(rates) / 4
    assert rates[-1] < 0.1 * max(rates)


def test_a_collapsed_model_starts_again_at_a_lower_rate(trainer, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_STEPS_TO_TELL", 5)
    made, events = trainer(learning_rate=0.02)
    good = made._one_epoch

    def drowned(state, epochs, optimizer):
        loss = good(state, epochs, optimizer)
        if state.rate > 0.015:
            # What too high a rate ends in: every word gets the frequencies of the classes.
            head = made._head.linear
            counts = torch.bincount(made._train.targets, minlength=len(made._head.tags)).double()
            with torch.no_grad():
                head.weight.zero_()
                head.bias.copy_((counts / counts.sum()).log().clamp(min=-20))
            loss = made._prior
        return loss

    monkeypatch.setattr(made, "_one_epoch", drowned)
    result = run(made, tmp_path / "t")
    (collapse,) = of(events, "collapse")
    assert collapse["rate"] == pytest.approx(0.02 * 0.4)
    assert result.scores.micro.f1 > 0.5
    assert [entry["epoch"] for entry in result.history] == [1, 2, 3, 4, 5, 6]


def test_a_loss_that_is_no_number_is_noticed_at_once_and_given_up_after_the_attempts(trainer, tmp_path):
    made, events = trainer(learning_rate=1e30, attempts=2)
    with pytest.raises(TrainingError, match="learns nothing") as caught:
        run(made, tmp_path / "t")
    assert "after 2 attempts" in caught.value.message
    assert caught.value.hint
    assert [event["loss"] for event in of(events, "collapse")] == [None]
    assert all(math.isfinite(event["loss"]) for event in of(events, "step"))
    assert not (tmp_path / "t" / "checkpoint.pt").exists()


def test_a_loss_that_turns_into_no_number_goes_back_to_the_best_epoch(trainer, tmp_path, monkeypatch):
    made, events = trainer()
    good = made._one_epoch

    def broken(state, epochs, optimizer):
        loss = good(state, epochs, optimizer)
        return math.nan if state.epoch == 3 and state.attempt == 0 else loss

    monkeypatch.setattr(made, "_one_epoch", broken)
    result = run(made, tmp_path / "t")
    assert len(of(events, "collapse")) == 1
    assert [entry["epoch"] for entry in result.history] == [1, 2, 3, 4, 5, 6]
    assert result.scores.micro.f1 > 0.9


def test_a_short_training_is_not_taken_for_a_collapse(trainer, tmp_path):
    made, events = trainer(epochs=2, learning_rate=1e-7)
    result = run(made, tmp_path / "t")
    assert result.scores.micro.f1 < 0.3
    assert not of(events, "collapse")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_two_runs_of_one_seed_are_equal_to_the_bit(trainer, tmp_path, precision):
    results = [run(trainer(epochs=2, precision=precision)[0], tmp_path / name) for name in ("a", "b")]
    assert same_weights(*(result.model.state_dict() for result in results))
    other = run(trainer(epochs=2, precision=precision, seed=2)[0], tmp_path / "c")
    assert not same_weights(results[0].model.state_dict(), other.model.state_dict())


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from support.bases import LABELS, toy_documents
from training.conftest import RECIPE
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.trainer import Trainer

def observe(event):
    if event["event"] == "step" and event["epoch"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)

toys = toy_documents(150, 1), toy_documents(40, 2)
trainer = Trainer(Path(sys.argv[2]), LABELS, *toys, TrainingConfig(**RECIPE), observe=observe)
with TrainingFolder(Path(sys.argv[3])) as folder:
    trainer.run(folder)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_training_goes_on_and_ends_in_the_same_weights(trainer, base, tmp_path):
    command = [sys.executable, "-c", KILLED, str(TESTS), str(base), str(tmp_path / "killed")]
    assert subprocess.run(command, check=False).returncode == -9
    made, events = trainer()
    resumed = run(made, tmp_path / "killed")
    assert [event["epoch"] for event in of(events, "resume")] == [1]
    assert {event["epoch"] for event in of(events, "step")} == {2, 3, 4, 5, 6}
    whole = run(trainer()[0], tmp_path / "whole")
    assert same_weights(resumed.model.state_dict(), whole.model.state_dict())
    assert [entry["dev"] for entry in resumed.history] == [entry["dev"] for entry in whole.history]


def test_a_finished_training_is_not_trained_further(trainer, tmp_path):
    made, _ = trainer(epochs=9, patience=1, learning_rate=1e-9)
    first = run(made, tmp_path / "t")
    assert len(first.history) < 9
    made, events = trainer(epochs=9, patience=1, learning_rate=1e-9)
    second = run(made, tmp_path / "t")
    assert not of(events, "step")
    assert same_weights(first.model.state_dict(), second.model.state_dict())


def test_a_checkpoint_of_other_choices_is_not_used(trainer, tmp_path):
    run(trainer(epochs=1)[0], tmp_path / "t")
    made, events = trainer(epochs=1, seed=5)
    run(made, tmp_path / "t")
    assert not of(events, "resume")


def test_a_checkpoint_of_a_base_of_the_same_name_and_size_is_not_used(trainer, base, toys, tmp_path):
    def begin(base):
        events = []
        config = TrainingConfig(**{**RECIPE, "epochs": 1, "lora": 2})
        return Trainer(base, LABELS, *toys, config, observe=lambda event: events.append(dict(event))), events

    run(begin(base)[0], tmp_path / "t")
    made, events = begin(with_other_weights(base, tmp_path / "other" / base.name))
    run(made, tmp_path / "t")
    assert not of(events, "resume")
    made, events = begin(shutil.copytree(tmp_path / "other" / base.name, tmp_path / "moved"))
    run(made, tmp_path / "t")
    assert of(events, "resume")


def test_a_budget_stops_the_training_and_brings_the_rate_to_zero(trainer, tmp_path):
    made, events = trainer(epochs=1000, budget_minutes=1 / 60)
    result = run(made, tmp_path / "t")
    assert 1 <= len(result.history) < 1000
    assert sum(entry["seconds"] for entry in result.history) < 4
    rates = [event["rate"] for event in of(events, "step")]
    assert rates[-1] < 0.2 * max(rates)


def test_a_budget_that_is_used_up_at_once_still_gives_a_model(trainer, tmp_path):
    made, events = trainer(budget_minutes=1e-9)
    assert len(run(made, tmp_path / "t").history) == 1
    assert len(of(events, "step")) == 1


def test_a_budget_does_not_cut_the_least_epochs_short(trainer, tmp_path):
    made, events = trainer(epochs=1000, budget_minutes=1e-9, least_epochs=2)
    assert len(run(made, tmp_path / "t").history) == 2
    rates = [event["rate"] for event in of(events, "step")]
    assert rates[-1] < 0.2 * max(rates)


def test_documents_without_entities_of_the_schema(base):
    with pytest.raises(InputError, match="no entity of the schema"):
        Trainer(base, LABELS, [Document("Lan", entities=[])], toy_documents(2), TrainingConfig())


def test_a_base_without_a_known_stock_form_is_refused_before_training(tmp_path):
    folder = tiny_base(tmp_path / "modern", "modernbert")
    with pytest.raises(TrainingError, match="modernbert encoder has no stock") as caught:
        Trainer(folder, LABELS, toy_documents(4), toy_documents(2), TrainingConfig())
    assert "--base" in caught.value.hint


def test_a_base_with_broken_or_missing_weights_is_refused(tmp_path, base):
    from safetensors.torch import load_file, save_file

    folder = tiny_base(tmp_path / "base")
    weights = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in weights.items() if "layer.1" not in k}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BundleError, match="lacks 16 weights of its encoder"):
        Trainer(folder, LABELS, toy_documents(4), toy_documents(2), TrainingConfig())
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(BundleError, match="cannot be loaded"):
        Trainer(folder, LABELS, toy_documents(4), toy_documents(2), TrainingConfig())


@pytest.mark.parametrize(
    "choice",
    [{"epochs": 0}, {"seed": -1}, {"window_overlap": -1}, {"dropout": 1.0}, {"precision": "fp16"}, {"learning_rate": 0.0}],
)
def test_choices_that_cannot_be_are_named(choice):
    with pytest.raises(UsageError, match=next(iter(choice))):
        TrainingConfig(**choice)


def test_wide_encoders_get_lower_rates():
    assert [default_learning_rate(width) for width in (384, 768)] == pytest.approx([4e-4, 1e-4])


def test_where_dev_is_large_not_every_epoch_is_scored_but_the_last_one_is(trainer, tmp_path, monkeypatch):
    assert all(entry["dev"] for entry in run(trainer(epochs=3)[0], tmp_path / "small").history)
    monkeypatch.setattr(module, "_SCORING_COST", 100.0)
    made, events = trainer(epochs=17)
    result = run(made, tmp_path / "large")
    assert [entry["epoch"] for entry in result.history if entry["dev"]] == [2, 4, 6, 8, 10, 12, 14, 16, 17]
    assert len(result.history) == 17
    best = max((entry["dev"]["f1"], -entry["epoch"]) for entry in result.history if entry["dev"])
    assert of(events, "end")[0]["best_epoch"] == -best[1]
    assert result.scores.micro.f1 == best[0]
    assert [event["epoch"] for event in of(events, "epoch") if event["best"]][-1] == -best[1]


def test_an_epoch_that_is_not_scored_goes_on_after_a_stop(trainer, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SCORING_COST", 100.0)
    whole = run(trainer(epochs=16)[0], tmp_path / "whole")
    made, _ = trainer(epochs=16)
    stop_at(made, "epoch", 5)
    with pytest.raises(KeyboardInterrupt):
        run(made, tmp_path / "t")
    again = run(trainer(epochs=16)[0], tmp_path / "t")
    assert same_weights(again.model.state_dict(), whole.model.state_dict())


def test_patience_begins_with_the_first_right_entity(trainer, tmp_path, monkeypatch):
    made, events = trainer(epochs=6, patience=1)
    monkeypatch.setattr(made, "_one_epoch", lambda state, epochs, optimizer: silent(made, state))
    result = run(made, tmp_path / "t")
    assert [entry["epoch"] for entry in result.history] == [1, 2, 3, 4, 5, 6]
    assert of(events, "end")[0]["dev_f1"] == 0.0


def test_an_attempt_after_a_collapse_warms_up_within_the_time_that_is_left(trainer):
    made, _ = trainer(budget_minutes=1.0)
    state = module._State(epoch=2, rate=0.1, seconds=30.0, best_f1=-1.0)
    made._recover(state, loss=2.0)
    assert (state.epoch, state.attempt_epoch, state.attempt_seconds) == (0, 0, 30.0)
    assert made._spent(state, 0) == 0.0
    assert made._spent(state, 0, running=15.0) == pytest.approx(0.5)


def test_a_training_killed_after_a_collapse_goes_on_at_the_lower_rate(trainer, tmp_path):
    made, _ = trainer()
    with TrainingFolder(tmp_path / "t") as folder:
        state = module._State(rate=0.1)
        folder.save(made._checkpoint(state, made._recover(state, loss=2.0)))
        again, events = trainer()
        result = again.run(folder)
    assert of(events, "start")[0]["rate"] == pytest.approx(0.04)
    assert [entry["rate"] for entry in result.history] == pytest.approx([0.04] * len(result.history))


def test_what_an_attempt_without_any_entity_kept_is_gone_when_the_next_one_begins(trainer, tmp_path):
    made, _ = trainer(budget_minutes=1.0)
    state = module._State(epoch=2, best_epoch=1, rate=0.1, seconds=60.0, best_f1=0.0)
    state.best_weights = {name: tensor.clone() for name, tensor in made._model.learned().items()}
    with TrainingFolder(tmp_path / "t") as folder:
        folder.save(made._checkpoint(state, made._recover(state, loss=2.0)))
        again, _ = trainer(budget_minutes=1.0)
        with pytest.raises(TrainingError, match="the time was up before an epoch could be kept"):
            again.run(folder)


def silent(trainer, state):
    """An epoch that ends with a model that answers 'no entity' everywhere."""
    with torch.no_grad():
        trainer._head.linear.weight.zero_()
        trainer._head.linear.bias.copy_(torch.tensor([9.0] + [0.0] * (len(trainer._head.tags) - 1)))
    state.epoch += 1
    trainer._last = {"pieces_per_second": 1.0, "seconds": 1.0}
    return 0.1
