"""R-Drop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from support.bases import LABELS, toy_documents
from viner.encoding import PieceEncoder
from viner.errors import UsageError
from viner.training.config import TrainingConfig
from viner.training.consistency import disagreement, halves, twice
from viner.training.data import TrainingSet
from viner.training.distributed import Part
from viner.training.heads import IGNORED, EntityHead


def test_a_batch_twice_reads_each_word_in_both_halves(base):
    encoder = PieceEncoder.from_folder(base, views=(), max_pieces=64)
    head = EntityHead("entities", LABELS, 32, 0.1)
    batch = TrainingSet(toy_documents(20, 1), encoder, head, TrainingConfig()).epoch(np.random.default_rng(0))[0]
    both = twice(batch)
    assert both.pieces == batch.pieces
    for name in ("input_ids", "attention_mask", "targets"):
        assert all(half.equal(getattr(batch, name)) for half in getattr(both, name).chunk(2))
    pieces = both.input_ids.flatten()[both.first]
    assert all(half.equal(batch.input_ids.flatten()[batch.first]) for half in pieces.chunk(2))
    assert int(both.first.max()) < both.input_ids.numel()


def test_both_halves_of_a_batch_are_the_batch(base):
    encoder = PieceEncoder.from_folder(base, views=(), max_pieces=64)
    head = EntityHead("entities", LABELS, 32, 0.1)
    drawn = TrainingSet(toy_documents(20, 1), encoder, head, TrainingConfig()).epoch(np.random.default_rng(0))
    batch = max(drawn, key=lambda batch: len(batch.input_ids))
    batch.targets[: len(batch.targets) // 3] = IGNORED
    parts, shares = zip(*((half.batch, half.known) for half in halves(Part(batch))), strict=True)
    assert [len(part.input_ids) for part in parts] == [len(batch.input_ids) // 2, -(-len(batch.input_ids) // 2)]
    for name in ("input_ids", "attention_mask", "targets"):
        assert torch.cat([getattr(part, name) for part in parts]).equal(getattr(batch, name))
    read = [part.input_ids.flatten()[part.first] for part in parts]
    assert torch.cat(read).equal(batch.input_ids.flatten()[batch.first])
    assert sum(part.pieces for part in parts) == batch.pieces == int(batch.attention_mask.sum())
    emissions = torch.randn(len(batch.targets), len(head.tags))
    words = [len(part.targets) for part in parts]
    losses = [head.loss(said, part.targets) for said, part in zip(emissions.split(words), parts, strict=True)]
    whole = sum(share * loss for share, loss in zip(shares, losses, strict=True))
    assert float(whole) == pytest.approx(float(head.loss(emissions, batch.targets)), rel=1e-5)


def test_one_row_is_not_halved(base):
    encoder = PieceEncoder.from_folder(base, views=(), max_pieces=64)
    head = EntityHead("entities", LABELS, 32, 0.1)
    batch = TrainingSet(toy_documents(1, 1), encoder, head, TrainingConfig()).epoch(np.random.default_rng(0))[0]
    assert len(batch.input_ids) == 1
    assert halves(Part(batch)) == [Part(batch, 1.0)]


def test_the_distance_is_the_mean_of_both_divergences_over_known_words():
    logits = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, IGNORED, 3, 1] * 2)
    one, other = logits.softmax(-1).chunk(2)
    both = [(p * (p / q).log()).sum(-1) for p, q in ((one, other), (other, one))]
    expected = float(sum(both)[[0, 2, 3]].mean()) / 2
    assert float(disagreement(logits, targets)) == pytest.approx(expected, rel=1e-5)
    assert float(disagreement(torch.cat([logits[:4], logits[:4]]), targets)) == 0.0
    assert float(disagreement(logits, torch.full((8,), IGNORED))) == 0.0


def test_two_answers_come_together(trainer, tmp_path):
    """With the distance in the loss, answers under dropout lie nearer to each other than without it."""
    from viner.training.checkpoint import TrainingFolder

    def apart(weight):
        made, _ = trainer(r_drop=weight, epochs=3, dropout=0.3)
        with TrainingFolder(tmp_path / str(weight)) as folder:
            made.run(folder)
        made._model.train()
        torch.manual_seed(0)
        batches = [twice(batch) for batch in made._train.epoch(np.random.default_rng(0))]
        with torch.no_grad():
            said = [made._head(made._model(b.input_ids, b.attention_mask, b.first)) for b in batches]
        return float(sum(disagreement(logits, batch.targets) for logits, batch in zip(said, batches, strict=True)))

    assert apart(5.0) < 0.7 * apart(0.0)


def test_without_dropout_there_is_nothing_to_compare():
    with pytest.raises(UsageError, match="there is none"):
        TrainingConfig(r_drop=1.0, dropout=0.0)
    TrainingConfig(r_drop=1.0, dropout=0.0, lora=4, lora_dropout=0.1)
