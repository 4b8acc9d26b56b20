"""The dev score during training: the same windows, decoding and metric as after it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray

from viner.corpus import refuse_partial
from viner.document import Document
from viner.encoding import BioDecoder, PieceEncoder, cut_by_budget, plan_windows
from viner.metrics import EntityScores, EntityTally
from viner.text import split_words
from viner.training.data import Example, collate, usable_overlap
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel


class DevSet:
    """Annotated documents to score a model on while it trains.

    Args:
        documents: Documents with entities annotated, wholly.
        encoder: Cuts their words into pieces.
        overlap: Pieces that neighboring windows share.
        batch_pieces: Pieces of a batch, padding included.

    Raises:
        InputError: If a document is annotated only in part.
    """

    def __init__(self, documents: Sequence[Document], encoder: PieceEncoder, *, overlap: int, batch_pieces: int = 2048) -> None:
        refuse_partial(documents, "score")
        self.documents = documents
        self._encoder = encoder
        self._words = [d.words if d.words is not None else split_words(d.text) for d in documents]
        self._examples: list[Example] = []
        self._keeps: list[tuple[int, slice]] = []
        for index, (document, words) in enumerate(zip(documents, self._words, strict=True)):
            encoded = encoder.encode(document.text, words)
            for window in plan_windows(encoded.offsets, encoder.capacity, usable_overlap(overlap, encoder)):
                begin, end = encoded.offsets[window.first], encoded.offsets[window.last]
                first = encoded.offsets[window.first : window.last] - begin
                self._examples.append(Example(encoded.pieces[begin:end], first, np.zeros(len(first), dtype=np.int64)))
                self._keeps.append((index, slice(window.keep_first - window.first, window.keep_last - window.first)))
        lengths = np.array([len(e.pieces) for e in self._examples], dtype=np.int64)
        specials = len(encoder.prefix) + len(encoder.suffix)
        self._batches = list(cut_by_budget(np.argsort(lengths, kind="stable"), lengths + specials, batch_pieces))

    @property
    def entities(self) -> int:
        """Number of annotated entities."""
        return sum(len(document.entities or ()) for document in self.documents)

    def score(self, model: MultiHeadModel, head: EntityHead, autocast: AbstractContextManager[object]) -> EntityScores:
        """Strict entity scores of a model; it is left in the mode it was in.

        Args:
            model: The model.
            head: Its entity head.
            autocast: Context in which the model runs.
        """
        emissions = self.emissions(model, head, autocast)
        tally = EntityTally()
        for document, words, spans in zip(
            self.documents, self._words, BioDecoder(head.labels).decode_batch(emissions), strict=True
        ):
            gold = [(entity.start, entity.end, entity.label) for entity in document.entities or ()]
            tally.add(gold, [(words[span.first][0], words[span.last - 1][1], span.label) for span in spans])
        return tally.scores()

    @torch.inference_mode()
    def emissions(
        self, model: MultiHeadModel, head: EntityHead, autocast: AbstractContextManager[object]
    ) -> list[NDArray[np.float32]]:
        """Logits of the tags for each document; the model is left in the mode it was in.

        Args:
            model: The model.
            head: Its entity head.
            autocast: Context in which the model runs.

        Returns:
            *Shape:* (words, tags) each.
        """
        device = next(model.parameters()).device
        was_training = model.training
        model.eval()
        answers: list[NDArray[np.float32]] = [np.zeros((0, len(head.tags)), dtype=np.float32)] * len(self._examples)
        with autocast:
            for part in self._batches:
                examples = [self._examples[i] for i in part]
                batch = collate(examples, self._encoder).to(device)
                logits = head(model(batch.input_ids, batch.attention_mask, batch.first)).float().cpu().numpy()
                bounds = np.cumsum([0] + [len(example.first) for example in examples])
                for i, begin, end in zip(part, bounds, bounds[1:], strict=False):
                    answers[i] = logits[begin:end]
        model.train(was_training)
        merged: list[list[NDArray[np.float32]]] = [[] for _ in self.documents]
        for answer, (index, keep) in zip(answers, self._keeps, strict=True):
            merged[index].append(answer[keep])
        empty = np.zeros((0, len(head.tags)), dtype=np.float32)
        return [np.concatenate(parts) if parts else empty for parts in merged]
