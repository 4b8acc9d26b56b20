"""Adversarial training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from support.bases import LABELS, tiny_base
from viner.training.adversarial import Adversary, move
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.distributed import Part, Step
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel, load_encoder
from viner.training.trainer import Trainer


def test_each_sequence_is_moved_along_its_own_gradient_by_the_same_length():
    generator = torch.Generator().manual_seed(1)
    vectors, gradient = torch.randn(3, 5, 8, generator=generator), torch.randn(3, 5, 8, generator=generator)
    gradient[1] *= 1e-6
    gradient[2] = 0
    moved = move(vectors, gradient, 0.5)
    length = 0.5 * float(vectors.norm(dim=-1).mean())
    assert moved.flatten(1).norm(dim=1).tolist() == pytest.approx([length, length, 0])
    for moves, steep in zip(moved[:2], gradient[:2], strict=True):
        assert float(torch.cosine_similarity(moves.flatten(), steep.flatten(), dim=0)) == pytest.approx(1)


@pytest.mark.parametrize("flat", [0.0, 1e-24])
def test_without_a_gradient_to_speak_of_long_vectors_stay_where_they_are(flat):
    vectors, gradient = torch.full((2, 3, 384), 10.0), torch.ones(2, 3, 384)
    gradient[1] = flat
    moved = move(vectors, gradient, 2.0)
    assert bool(moved.isfinite().all())
    assert moved[0].abs().sum() > 0
    assert not moved[1].any()


@pytest.fixture
def batch(trainer):
    made, _ = trainer()
    return max(made._train.epoch(np.random.default_rng(0)), key=lambda batch: len(batch.input_ids))


@pytest.fixture
def still(trainer):
    """A trainer without dropout, so that two passes differ by what was moved alone."""

    def make(**choices) -> Trainer:
        made, _ = trainer(dropout=0.0, precision="fp32", **choices)
        made._model.train()
        return made

    return make


def gradients(made: Trainer) -> dict[str, torch.Tensor]:
    return {name: w.grad.clone() for name, w in made._model.named_parameters() if w.grad is not None}


def test_a_step_learns_from_the_vectors_as_they_are_and_from_where_they_were_moved_to(still, batch):
    plain, opposed = still(), still(adversarial=0.5)
    opposed._model.load_state_dict(plain._model.state_dict())
    loss = plain._pass(Part(batch), last=True)
    clean = gradients(plain)

    table = plain._model.encoder.get_input_embeddings()
    looked_up = table(batch.input_ids).detach().requires_grad_()
    handle = table.register_forward_hook(lambda module, inputs, vectors: looked_up)
    words = plain._model(batch.input_ids, batch.attention_mask, batch.first)
    (steep,) = torch.autograd.grad(plain._head.loss(plain._head(words), batch.targets), looked_up)
    handle.remove()
    handle = table.register_forward_hook(lambda module, inputs, vectors: vectors + move(looked_up.detach(), steep, 0.5))
    farther = plain._pass(Part(batch), last=True)  # on top of the gradients that are there
    handle.remove()
    assert farther > loss

    assert opposed._backward(_step(batch)) == pytest.approx(loss, rel=1e-4)
    found = gradients(opposed)
    assert found.keys() == clean.keys()
    for name, gradient in gradients(plain).items():
        assert torch.allclose(found[name], gradient, rtol=1e-3, atol=1e-5), name
    assert not torch.allclose(found["heads.entities.linear.weight"], clean["heads.entities.linear.weight"], rtol=1e-2)


def _step(batch):
    return Step([Part(batch)], batch.pieces)


def test_a_second_loss_that_is_no_number_is_the_steps(still, batch, monkeypatch):
    made = still(adversarial=0.5)
    losses = iter([1.0, float("nan")])
    monkeypatch.setattr(made, "_pass", lambda part, *, last: next(losses))
    monkeypatch.setattr(made._adversary, "_move", lambda: torch.zeros(1))
    assert np.isnan(made._backward(_step(batch)))


def test_outside_of_a_step_nothing_is_moved(still, batch):
    made = still(adversarial=0.5)

    def said():
        with torch.no_grad():
            return made._model(batch.input_ids, batch.attention_mask, batch.first)

    before = said()
    made._backward(_step(batch))
    assert said().equal(before)


def test_a_move_without_a_gradient_is_a_defect(still):
    adversary = still(adversarial=0.5)._adversary
    with pytest.raises(RuntimeError, match="no gradient"), adversary.moving():
        pass


@pytest.mark.parametrize("choices", [{"lora": 4, "learning_rate": None}, {"gradient_checkpointing": True}, {"r_drop": 1.0}])
def test_it_goes_with_adapters_recomputed_layers_and_r_drop(trainer, tmp_path, choices):
    made, events = trainer(adversarial=0.6, epochs=1, **choices)
    if "lora" in choices:
        assert not made._model.encoder.get_input_embeddings().weight.requires_grad
    with TrainingFolder(tmp_path / "t") as folder:
        made.run(folder)
    assert [event["event"] for event in events if event["event"] in ("epoch", "end")] == ["epoch", "end"]


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "deberta-v2", "electra", "albert", "distilbert"])
def test_every_encoder_says_where_it_looks_up_its_pieces(tmp_path, kind):
    encoder = load_encoder(tiny_base(tmp_path / kind, kind), 0.0)
    model = MultiHeadModel(encoder, [EntityHead("entities", LABELS, int(encoder.config.hidden_size), 0.0)])
    adversary = Adversary(encoder, 1.0)
    ids, mask, first = torch.tensor([[5, 6, 7, 8]]), torch.ones(1, 4, dtype=torch.long), torch.tensor([1, 2])
    with adversary.watching():
        before = model(ids, mask, first)
        before.square().sum().backward()
    with adversary.moving():
        assert not model(ids, mask, first).allclose(before)


def test_a_model_that_learned_so_stands_moves_better(trainer, tmp_path):
    """At the same distance its loss grows by less."""

    def growth(size: float) -> float:
        made, _ = trainer(adversarial=size, epochs=6, dropout=0.0, precision="fp32")
        with TrainingFolder(tmp_path / str(size)) as folder:
            made.run(folder)
        made._model.train()
        adversary = Adversary(made._model.encoder, 1.0)
        grown = 0.0
        for batch in made._train.epoch(np.random.default_rng(0)):
            with adversary.watching():
                before = made._pass(Part(batch), last=True)
            with adversary.moving():
                grown += made._pass(Part(batch), last=True) - before
        return grown

    assert growth(1.0) < 0.8 * growth(0.0)


def test_the_size_is_a_number_that_is_not_negative():
    with pytest.raises(ValueError, match="adversarial must be at least 0"):
        TrainingConfig(adversarial=-1.0)
