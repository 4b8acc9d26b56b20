import pytest

from support.bases import LABELS, tiny_base, toy_documents
from viner.training.config import TrainingConfig
from viner.training.trainer import Trainer

RECIPE = {"epochs": 6, "learning_rate": 1e-2, "head_multiplier": 3.0, "batch_pieces": 128, "precision": "fp32", "patience": 99}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Threads of so small a model only wait for each other, the more so with other tests beside this one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A random encoder. Read it, never change it."""
    return tiny_base(tmp_path_factory.mktemp("bases") / "bert")


@pytest.fixture(scope="session")
def toys():
    """Documents to train on and to choose on."""
    return toy_documents(150, 1), toy_documents(40, 2)


@pytest.fixture
def trainer(base, toys):
    """Makes trainers of the toy task; the second return value collects the events."""

    def make(**choices):
        events = []
        config = TrainingConfig(**{**RECIPE, **choices})
        return Trainer(base, LABELS, *toys, config, observe=lambda event: events.append(dict(event))), events

    return make
