import io

import pytest

from support.bases import LABELS, tiny_base, toy_documents
from viner.bundle import read_bundle
from viner.formats import write
from viner.training.config import TrainingConfig
from viner.training.trainer import Trainer

RECIPE = {"epochs": 6, "learning_rate": 1e-2, "head_multiplier": 3.0, "batch_pieces": 128, "precision": "fp32", "patience": 99}
RECIPE["layer_decay"] = 1.0  # a random encoder knows nothing that its lower layers could forget
RECIPE["replace_mentions"] = 0.0  # tests of the loop count what it is shown
RECIPE["harden"] = 0.0  # to a random encoder, words that are written otherwise are other words

DEEP = {**RECIPE, "learning_rate": 3e-3}
"""For more than two layers, which fall silent at a higher rate."""


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A random encoder. Read it, never change it."""
    return tiny_base(tmp_path_factory.mktemp("bases") / "bert")


@pytest.fixture(scope="session")
def toys():
    """Documents to train on and to choose on."""
    return toy_documents(150, 1), toy_documents(40, 2)


@pytest.fixture(scope="session")
def large(tmp_path_factory, toys):
    """A model of four layers that has learned the toy task. Read it, never change it."""
    from viner.workflow import Report, choose, train_model

    folder = tmp_path_factory.mktemp("large")
    for name, documents in zip(("train", "dev"), toys, strict=True):
        write(documents, folder / f"{name}.jsonl")
    files = {"train": folder / "train.jsonl", "dev": folder / "dev.jsonl", "base": tiny_base(folder / "base", layers=4)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "SENTENCES", 60)
        train_model(**files, out=folder / "model", report=Report(io.StringIO()), **{**DEEP, "epochs": 3})
    return read_bundle(folder / "model")


def stop_at(made, kind, epoch):
    """Has somebody stop a training at the first event of this kind in an epoch."""

    def stop(event):
        if event["event"] == kind and event["epoch"] == epoch:
            raise KeyboardInterrupt

    made._observe = stop


@pytest.fixture
def trainer(base, toys):
    """Makes trainers of the toy task; the second return value collects the events."""

    def make(**choices):
        events = []
        config = TrainingConfig(**{**RECIPE, **choices})
        return Trainer(base, LABELS, *toys, config, observe=lambda event: events.append(dict(event))), events

    return make
