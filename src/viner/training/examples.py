"""Sequences that a model reads in one pass, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viner.encoding import EncodedText, PieceEncoder, side_by_side


@dataclass(frozen=True, slots=True)
class Example:
    """A sequence that one forward pass reads, without special pieces.

    Args:
        pieces: *Shape:* (pieces,).
        first: *Shape:* (words,). Index of each word's first piece.
        targets: *Shape:* (words,).
        teacher: What a teacher says of the words, if there is one; NaN where it says nothing. *Shape:* (words, numbers).
    """

    pieces: NDArray[np.int32]
    first: NDArray[np.int32]
    targets: NDArray[np.int64]
    teacher: NDArray[np.float16] | None = None

    @classmethod
    def of(cls, encoded: EncodedText, targets: NDArray[np.int64], teacher: NDArray[np.float16] | None = None) -> Example:
        """All of a text."""
        return cls(encoded.pieces, encoded.offsets[:-1], targets, teacher)

    def part(self, first: int, last: int) -> Example:
        """The words from ``first`` to ``last``, end-exclusive."""
        begin, end = (int(self.first[word]) if word < len(self.first) else len(self.pieces) for word in (first, last))
        teacher = None if self.teacher is None else self.teacher[first:last]
        return Example(self.pieces[begin:end], self.first[first:last] - begin, self.targets[first:last], teacher)

    def unheard(self, numbers: int) -> Example:
        """The same with a teacher who says nothing of it.

        Args:
            numbers: How many it says of a word elsewhere.
        """
        return replace(self, teacher=np.full((len(self.targets), numbers), np.nan, dtype=np.float16))


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples side by side.

    Args:
        input_ids: *Shape:* (batch, pieces).
        attention_mask: *Shape:* (batch, pieces).
        first: *Shape:* (words,). Index of each word's first piece in the flattened batch.
        targets: *Shape:* (words,).
        pieces: Number of pieces without padding.
        teacher: What a teacher says of the words, if there is one; NaN where it says nothing. *Shape:* (words, numbers).
    """

    input_ids: Tensor
    attention_mask: Tensor
    first: Tensor
    targets: Tensor
    pieces: int
    teacher: Tensor | None = None

    @property
    def heard(self) -> Tensor:
        """Whether a teacher says something of each word. *Shape:* (words,)."""
        if self.teacher is None:
            return torch.zeros(len(self.targets), dtype=torch.bool, device=self.targets.device)
        return ~self.teacher[:, 0].isnan()

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return Batch(
            self.input_ids.to(device),
            self.attention_mask.to(device),
            self.first.to(device),
            self.targets.to(device),
            self.pieces,
            None if self.teacher is None else self.teacher.to(device),
        )


def collate(examples: Sequence[Example], encoder: PieceEncoder) -> Batch:
    """Puts examples side by side, with special pieces and padding."""
    ids, mask = side_by_side([example.pieces for example in examples], encoder)
    width, before = ids.shape[1], len(encoder.prefix)
    first = np.concatenate([example.first.astype(np.int64) + row * width + before for row, example in enumerate(examples)])
    targets = np.concatenate([example.targets for example in examples])
    tensors = [torch.from_numpy(array) for array in (ids, mask, first, targets)]
    teacher = _concatenated([example.teacher for example in examples])
    said = None if teacher is None else torch.from_numpy(teacher)
    return Batch(tensors[0], tensors[1], tensors[2], tensors[3], int(mask.sum()), said)


def joined(parts: Sequence[Example]) -> Example:
    """Examples that are read one after the other, as one text."""
    if len(parts) == 1:
        return parts[0]
    shifts = np.cumsum([0] + [len(part.pieces) for part in parts[:-1]])
    first = np.concatenate([part.first + shift for part, shift in zip(parts, shifts, strict=True)]).astype(np.int32)
    pieces, targets = np.concatenate([p.pieces for p in parts]), np.concatenate([p.targets for p in parts])
    return Example(pieces, first, targets, _concatenated([p.teacher for p in parts]))


def _concatenated(parts: Sequence[NDArray[np.float16] | None]) -> NDArray[np.float16] | None:
    """One array of all, if there is a teacher."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None
