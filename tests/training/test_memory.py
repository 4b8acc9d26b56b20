"""What trains in less memory learns the same."""

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from support.bases import LABELS, tiny_base, toy_documents
from training.conftest import RECIPE
from viner.document import Document, Entity
from viner.errors import TrainingError, UsageError
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.trainer import Trainer


def run(trainer, folder):
    with TrainingFolder(folder) as entered:
        return trainer.run(entered)


def kept_bytes(trainer, monkeypatch):
    """Has a trainer note how much of each forward pass is kept for its gradients."""
    sizes = []
    loss = trainer._loss

    def watched(*arguments):
        kept = 0

        def pack(tensor):
            nonlocal kept
            kept += tensor.numel() * tensor.element_size()
            return tensor

        with saved_tensors_hooks(pack, lambda tensor: tensor):
            answer = loss(*arguments)
        sizes.append(kept)
        return answer

    monkeypatch.setattr(trainer, "_loss", watched)
    return sizes


@pytest.mark.parametrize("choices", [{}, {"precision": "bf16"}, {"lora": 8, "lora_dropout": 0.1, "learning_rate": 1e-3}])
def test_layers_that_are_computed_twice_learn_the_same_to_the_bit_from_less_memory(
    trainer, tmp_path, monkeypatch, capfd, choices
):
    results, kept = [], []
    for recomputed in (False, True):
        made, _ = trainer(epochs=1, gradient_checkpointing=recomputed, **choices)
        kept.append(kept_bytes(made, monkeypatch))
        results.append(run(made, tmp_path / str(recomputed)).model.state_dict())
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])
    assert len(kept[0]) == len(kept[1]) > 5
    assert "use_cache" not in capfd.readouterr().err
    # Most of what is left are embeddings and head.
    assert max(kept[1]) < 0.5 * max(kept[0])


def test_an_architecture_that_cannot_is_told(tmp_path, monkeypatch):
    from transformers import BertModel

    monkeypatch.setattr(BertModel, "supports_gradient_checkpointing", False)
    config = TrainingConfig(gradient_checkpointing=True)
    with pytest.raises(TrainingError, match="bert encoder knows no gradient checkpointing"):
        Trainer(tiny_base(tmp_path / "base"), LABELS, toy_documents(4), toy_documents(2), config)


def test_a_batch_in_parts_is_one_step_of_the_same_pieces(trainer, tmp_path, monkeypatch):
    events, kept = [], []
    for accumulate in (1, 4):
        made, said = trainer(epochs=1, batch_pieces=None, accumulate=accumulate)
        kept.append(kept_bytes(made, monkeypatch))
        run(made, tmp_path / str(accumulate))
        events.append(said)
    whole, parts = (next(event for event in said if event["event"] == "start") for said in events)
    assert whole["batch_pieces"] == 512
    assert (parts["batch_pieces"], parts["batches"]) == (128, 4)
    steps = [[event for event in said if event["event"] == "step"] for said in events]
    assert abs(len(steps[0]) - len(steps[1])) <= 2
    assert len(kept[1]) > 3 * len(steps[1])
    assert max(kept[1]) < 0.5 * max(kept[0])


def test_a_sequence_longer_than_a_part_makes_a_step_larger_and_an_epoch_has_fewer(base, tmp_path):
    long = [Document("Lan đi Huế rồi về Paris " * 8, entities=[Entity(0, 3, "PERSON")], id=f"{n}") for n in range(40)]
    steps = {}
    for accumulate in (1, 16):
        config = TrainingConfig(**{**RECIPE, "epochs": 1, "batch_pieces": None, "accumulate": accumulate})
        events = []
        made = Trainer(base, LABELS, long, long[:2], config, observe=lambda event, to=events: to.append(dict(event)))
        run(made, tmp_path / str(accumulate))
        steps[accumulate] = [event["pieces"] for event in events if event["event"] == "step"]
    assert len(steps[16]) < len(steps[1])
    assert steps[16][0] > steps[1][0]


def test_parts_must_be_some():
    with pytest.raises(UsageError, match="accumulate"):
        TrainingConfig(accumulate=0)
