"""Adversarial training: the vectors of pieces are moved, by a little, to where the loss grows fastest, and learned from there.

Miyato, Dai and Goodfellow (2017), "Adversarial Training Methods for Semi-Supervised Text Classification", for the pieces of an
encoder: a step reads its sequences once as they are, moves the vectors of each along their gradient, and reads them again. It
takes twice the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

_FLAT = 1e-18
"""A gradient that is no longer than this is none; its square would not be a number of single precision."""


class Adversary:
    """Moves the vectors that an encoder looks up for pieces.

    Args:
        encoder: The encoder.
        size: How far the vectors of a sequence are moved, all together, as a multiple of a vector's mean length: what is right
            does not depend on how long an encoder's vectors are.
    """

    def __init__(self, encoder: PreTrainedModel, size: float) -> None:
        table = encoder.get_input_embeddings()
        assert isinstance(table, nn.Module)
        self.size = size
        self._table = table
        self._vectors: Tensor | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Remembers the vectors that are looked up meanwhile; a backward pass leaves their gradient with them."""

        def remember(module: nn.Module, inputs: tuple[Tensor, ...], vectors: Tensor) -> None:
            if vectors.requires_grad:
                vectors.retain_grad()
            else:
                vectors.requires_grad_()  # the table does not learn, but the loss depends on what it says
            self._vectors = vectors

        handle = self._table.register_forward_hook(remember)
        try:
            yield
        finally:
            handle.remove()

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Moves the vectors that are looked up meanwhile as the gradient of those before says, of which nothing is kept.

        Raises:
            RuntimeError: If no backward pass has been made of what was watched.
        """
        moved = self._move()
        self._vectors = None
        handle = self._table.register_forward_hook(lambda module, inputs, vectors: vectors + moved)
        try:
            yield
        finally:
            handle.remove()

    def _move(self) -> Tensor:
        if self._vectors is None or self._vectors.grad is None:
            raise RuntimeError("no gradient of the vectors was watched: this is a defect of viner")
        return move(self._vectors.detach(), self._vectors.grad, self.size)


def move(vectors: Tensor, gradient: Tensor, size: float) -> Tensor:
    """By what the vectors of sequences are moved.

    Args:
        vectors: *Shape:* (sequences, pieces, width).
        gradient: That of the loss with respect to them. *Shape:* as ``vectors``.
        size: As for :class:`Adversary`.

    Returns:
        The gradient of each sequence at a length of ``size`` times the vectors' mean length; 0 where there is none. *Shape:* as
        ``vectors``.
    """
    steep = gradient.float().flatten(1).norm(dim=1)
    length = size * vectors.float().norm(dim=-1).mean()
    factor = torch.where(steep > _FLAT, length / steep, 0.0)
    return (gradient.float() * factor[:, None, None]).to(vectors.dtype)
