"""Trainings in two processes of the processor, over gloo: as `torchrun` starts them, or, cheaper, by what it tells them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from support.bases import LABELS, tiny_base, toy_documents
from viner.formats import write
from viner.training.checkpoint import CHECKPOINT, TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.distributed import Processes
from viner.training.examples import Batch
from viner.training.heads import IGNORED
from viner.training.trainer import Trainer

pytestmark = pytest.mark.xdist_group("processes")

PATIENCE = 300
TESTS = Path(__file__).parents[1]

TOGETHER = """
import json, os, signal, sys
from contextlib import nullcontext
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import torch
from support.bases import LABELS, toy_documents
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.distributed import Processes
from viner.training.trainer import Trainer

def observe(event):
    assert processes.main
    events.append(event["event"])
    if event["event"] == "step" and event["epoch"] == 2 and kill:
        os.kill(os.getpid(), signal.SIGKILL)

base, out, kill, trainings = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4] == "kill", json.loads(sys.argv[5])
processes = Processes("fp32")
assert processes.count == 2
toys = toy_documents(60, 1), toy_documents(20, 2)
for name, choices in trainings.items():
    events = []
    trainer = Trainer(base, LABELS, *toys, TrainingConfig(**choices), observe=observe, processes=processes)
    working = TrainingFolder(out / f"{name}.t")
    with working if processes.main else nullcontext(working) as folder:
        result = trainer.run(folder)
    weights = result.model.state_dict()
    ended = {"weights": weights, "history": result.history, "f1": result.scores.micro.f1, "resumed": "resume" in events}
    torch.save(ended, out / f"{name}-{processes.index}.pt")
processes.wait()
"""

RECIPE = {
    "epochs": 3, "learning_rate": 1e-3, "head_multiplier": 10.0, "batch_pieces": 96, "precision": "fp32", "dropout": 0.0,
    "patience": 99,
}  # fmt: skip


def torchrun(*arguments):
    """Runs a program in two processes; its own output goes to the test's."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True)


def side_by_side(*arguments):
    """Runs a program in two processes, without a launcher, which would import torch once more; returns how they ended.

    As under a launcher, the failure of one ends the other.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    told = [{**place, "WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    command = [sys.executable, *map(str, arguments)]
    started = [subprocess.Popen(command, env={**os.environ, **variables}) for variables in told]
    try:
        until = time.monotonic() + PATIENCE
        while any(process.poll() is None for process in started) and not any(process.poll() for process in started):
            assert time.monotonic() < until, "a process hangs"
            time.sleep(0.05)
        return [process.poll() for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def together(tmp_path_factory, base):
    """Makes trainings, one after the other, in two processes; returns for each what the processes ended with."""
    program = tmp_path_factory.mktemp("program") / "together.py"
    program.write_text(TOGETHER, encoding="utf-8")

    def train(out, *, kill=False, **trainings):
        out.mkdir(exist_ok=True)
        told = json.dumps({name: {**RECIPE, **choices} for name, choices in trainings.items()})
        ended = side_by_side(program, TESTS, base, out, "kill" if kill else "", told)
        if kill:
            assert ended[0] == -signal.SIGKILL
            return {}
        assert ended == [0, 0]
        return {name: [torch.load(out / f"{name}-{index}.pt", weights_only=True) for index in range(2)] for name in trainings}

    return train


@pytest.fixture(scope="module")
def undisturbed(together, tmp_path_factory):
    """What each of two processes ended with: a training, and one whose time is short."""
    return together(tmp_path_factory.mktemp("whole"), whole={}, hasty={"epochs": 200, "budget_minutes": 1 / 30})


def alone(base, folder, **choices):
    toys = toy_documents(60, 1), toy_documents(20, 2)
    with TrainingFolder(folder) as entered:
        return Trainer(base, LABELS, *toys, TrainingConfig(**{**RECIPE, **choices})).run(entered)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_the_same_batches(undisturbed, base, tmp_path):
    first, second = undisturbed["whole"]
    assert all(torch.equal(tensor, second["weights"][name]) for name, tensor in first["weights"].items())
    one = alone(base, tmp_path / "one", accumulate=2)
    for mine, theirs in zip(one.history, first["history"], strict=True):
        assert theirs["loss"] == pytest.approx(mine["loss"], rel=1e-3)
        assert theirs["dev"]["f1"] == pytest.approx(mine["dev"]["f1"], abs=0.01)
    for name, tensor in one.model.state_dict().items():
        # The gradient of a key's bias is 0 but for rounding, which Adam makes as large as any other.
        if not name.endswith("key.bias"):
            torch.testing.assert_close(first["weights"][name], tensor, rtol=0, atol=2e-3)
    other = alone(base, tmp_path / "other").model.state_dict()
    assert max(float((first["weights"][name] - other[name]).abs().max()) for name in other) > 0.01


@pytest.mark.slow
def test_two_killed_processes_go_on_to_the_same_weights(together, undisturbed, tmp_path):
    together(tmp_path, kill=True, again={})
    assert (tmp_path / "again.t" / CHECKPOINT).is_file()
    resumed, whole = together(tmp_path, again={})["again"][0], undisturbed["whole"][0]
    assert resumed["resumed"]
    assert not whole["resumed"]
    assert all(torch.equal(tensor, whole["weights"][name]) for name, tensor in resumed["weights"].items())
    assert [entry["dev"] for entry in resumed["history"]] == [entry["dev"] for entry in whole["history"]]


@pytest.mark.slow
def test_clocks_that_differ_do_not_part_the_processes(undisturbed):
    first, second = undisturbed["hasty"]
    assert first["history"] == second["history"]
    assert len(first["history"]) < 200
    assert first["f1"] == second["f1"]


@pytest.mark.slow
def test_the_command_line_trains_in_two_processes_and_speaks_with_one_voice(tmp_path):
    for split, count, seed in (("train", 60, 1), ("dev", 20, 2), ("test", 10, 3)):
        write(toy_documents(count, seed), tmp_path / f"{split}.jsonl")
    files = [f"--{split}={tmp_path / split}.jsonl" for split in ("train", "dev", "test")]
    base = tiny_base(tmp_path / "base")
    given = ["--epochs", "1", "--learning-rate", "0.01", "--lora", "4", "--track", "tensorboard", "--out", tmp_path / "m"]
    done = torchrun("-m", "viner", "train", *files, "--base", base, *given)
    assert done.stdout.count("Model: ") == 1
    assert done.stderr.count("in 2 processes") == done.stderr.count("Best epoch: 1") == 1
    assert (tmp_path / "m" / "viner.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("m")) == ["m", "m.tracking"]


class FakeProcesses(Processes):
    """One of several, as far as dealing goes."""

    def __init__(self, count, index):
        self.count, self.index = count, index


def batch(known, words):
    """Words of which the last one is one that the teacher says nothing of."""
    targets = torch.full((words,), IGNORED)
    targets[:known] = 1
    said = torch.zeros(words, 2)
    said[-1] = torch.nan
    return Batch(torch.zeros(1, words), torch.ones(1, words), torch.arange(words), targets, words, said)


def test_every_batch_is_dealt_once_and_every_known_word_weighs_the_same():
    rng = np.random.default_rng(0)
    batches = [batch(int(known), int(known) + 3) for known in rng.integers(1, 30, 13)]
    dealt = [FakeProcesses(3, index).deal(batches, 2) for index in range(3)]
    assert [len(steps) for steps in dealt] == [3, 3, 3]
    seen = []
    for number in range(3):
        parts = [part for steps in dealt for part in steps[number].parts]
        assert {steps[number].pieces for steps in dealt} == {sum(len(b.targets) for b in batches[6 * number : 6 * number + 6])}
        # Gradients are means over the processes: a word of a mean loss weighs this much.
        weights = {round(part.known / int((part.batch.targets != IGNORED).sum()), 9) for part in parts if part.known}
        assert len(weights) == 1
        assert sum(part.known for part in parts) == pytest.approx(3)
        heard = {round(part.heard / (len(part.batch.targets) - 1), 9) for part in parts if part.known}
        assert len(heard) == 1
        assert sum(part.heard for part in parts) == pytest.approx(3)
        seen += [id(part.batch) for part in parts if part.known]
    assert sorted(seen) == sorted(map(id, batches))
    # The last step has one batch for three processes.
    assert [[part.known for part in steps[-1].parts] for steps in dealt] == [[3.0], [0.0], [0.0]]


def test_one_process_with_one_batch_a_step_weighs_nothing():
    steps = FakeProcesses(1, 0).deal([batch(2, 5), batch(3, 3)], 1)
    assert [(part.known, part.heard) for step in steps for part in step.parts] == [(1.0, 1.0), (1.0, 1.0)]
