"""R-Drop: dropout makes two models of one, and what they answer is drawn together.

Liang et al. (2021), "R-Drop: Regularized Dropout for Neural Networks". Every sequence is read twice in one pass, with two draws
of dropout. To the cross-entropy of both comes the distance of their answers. A step takes twice the time; it is computed in two
halves, one after the other, so that it takes little more memory.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from viner.training.distributed import Part
from viner.training.examples import Batch
from viner.training.heads import IGNORED


def halves(part: Part) -> list[Part]:
    """The upper and the lower rows of a batch, which weigh as much as they have of its known words; one row stays whole.

    A teacher's vectors are left out.
    """
    batch = part.batch
    rows, width = batch.input_ids.shape
    if rows < 2:
        return [part]
    middle = rows // 2
    words = int((batch.first < middle * width).sum())  # rows, and so words, are in order
    known = batch.targets != IGNORED
    pieces = int(batch.attention_mask[:middle].sum())
    weight = part.known / max(1, int(known.sum()))
    upper = Batch(batch.input_ids[:middle], batch.attention_mask[:middle], batch.first[:words], batch.targets[:words], pieces)
    lower = Batch(
        batch.input_ids[middle:],
        batch.attention_mask[middle:],
        batch.first[words:] - middle * width,
        batch.targets[words:],
        batch.pieces - pieces,
    )
    return [Part(upper, weight * int(known[:words].sum())), Part(lower, weight * int(known[words:].sum()))]


def twice(batch: Batch) -> Batch:
    """The batch with a copy of it below, so that its words come twice in the same order. A teacher's vectors are left out."""
    return Batch(
        torch.cat([batch.input_ids, batch.input_ids]),
        torch.cat([batch.attention_mask, batch.attention_mask]),
        torch.cat([batch.first, batch.first + batch.input_ids.numel()]),
        torch.cat([batch.targets, batch.targets]),
        batch.pieces,
    )


def disagreement(logits: Tensor, targets: Tensor) -> Tensor:
    """How far the answers to the two halves of :func:`twice` are from each other.

    Args:
        logits: *Shape:* (2 · words, tags).
        targets: Those of the words, of which only known ones count. *Shape:* (2 · words,).

    Returns:
        The mean of the two Kullback-Leibler divergences in nats, mean over the known words, 0 if there are none. *Shape:* ().
    """
    one, other = nn.functional.log_softmax(logits.float(), dim=-1).chunk(2)
    known = targets.chunk(2)[0] != IGNORED
    apart = ((one.exp() - other.exp()) * (one - other)).sum(dim=-1) / 2
    return (apart * known).sum() / known.sum().clamp(min=1)
