"""What a model says of whole documents: cut into windows, and each word answered by the window that sees most around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viner.document import Document
from viner.encoding import PieceEncoder, cut_by_budget, plan_windows
from viner.text import words_of
from viner.training.data import usable_overlap
from viner.training.examples import Example, collate
from viner.training.model import MultiHeadModel


class DocumentReader:
    """Documents, ready to be read by a model as recognition would read them.

    Args:
        documents: The documents.
        encoder: Cuts their words into pieces.
        overlap: Pieces that neighboring windows share.
        batch_pieces: Pieces of a batch, padding included.
    """

    def __init__(self, documents: Sequence[Document], encoder: PieceEncoder, *, overlap: int, batch_pieces: int = 2048) -> None:
        self.documents = documents
        self._encoder = encoder
        self.words = [words_of(document) for document in documents]
        """Spans of each document's words."""
        self._examples: list[Example] = []
        self._keeps: list[tuple[int, slice]] = []
        for index, (document, words) in enumerate(zip(documents, self.words, strict=True)):
            encoded = encoder.encode(document.text, words)
            whole = Example.of(encoded, np.zeros(len(words), dtype=np.int64))
            for window in plan_windows(encoded.offsets, encoder.capacity, usable_overlap(overlap, encoder)):
                self._examples.append(whole.part(window.first, window.last))
                self._keeps.append((index, slice(window.keep_first - window.first, window.keep_last - window.first)))
        lengths = np.array([len(e.pieces) for e in self._examples], dtype=np.int64)
        self.pieces = int(lengths.sum())
        """Pieces that are read, without special pieces; those in which windows overlap are counted twice."""
        specials = len(encoder.prefix) + len(encoder.suffix)
        self._batches = list(cut_by_budget(np.argsort(lengths, kind="stable"), lengths + specials, batch_pieces))

    @torch.inference_mode()
    def answers(
        self,
        model: MultiHeadModel,
        answer: Callable[[Tensor], Tensor],
        width: int,
        autocast: AbstractContextManager[object],
    ) -> list[NDArray[Any]]:
        """What a model says of each word; it is left in the mode it was in.

        Args:
            model: The model.
            answer: Makes the answer of the words' vectors, such as a head. *Shape:* (words, model's width) → (words, width).
            width: Width of the answer.
            autocast: Context in which the model runs.

        Returns:
            One array a document, of the answer's type. *Shape:* (words, width) each.
        """
        device = next(model.parameters()).device
        was_training = model.training
        model.eval()
        found: dict[int, NDArray[Any]] = {}
        with autocast:
            for part in self._batches:
                examples = [self._examples[i] for i in part]
                batch = collate(examples, self._encoder).to(device)
                said = answer(model(batch.input_ids, batch.attention_mask, batch.first)).cpu().numpy()
                bounds = np.cumsum([0] + [len(example.first) for example in examples])
                # Copies, so that what is left out of a batch does not stay in memory.
                found |= {i: said[begin:end].copy() for i, begin, end in zip(part, bounds, bounds[1:], strict=False)}
        model.train(was_training)
        merged: list[list[NDArray[Any]]] = [[] for _ in self.documents]
        for position, (index, keep) in enumerate(self._keeps):
            merged[index].append(found[position][keep])
        dtype = next(iter(found.values())).dtype if found else np.float32
        return [np.concatenate(parts) if parts else np.zeros((0, width), dtype) for parts in merged]
