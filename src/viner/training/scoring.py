"""The dev score during training: the same windows, decoding and metric as after it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from viner.corpus import refuse_partial
from viner.document import Document
from viner.encoding import BioDecoder, PieceEncoder
from viner.metrics import EntityScores, EntityTally
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel
from viner.training.reading import DocumentReader


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
        self.reader = DocumentReader(documents, encoder, overlap=overlap, batch_pieces=batch_pieces)
        """Has models read them."""

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
        return self.scores(self.emissions(model, head, autocast), head.labels)

    def scores(self, emissions: Sequence[NDArray[np.float32]], labels: Sequence[str]) -> EntityScores:
        """Strict entity scores of answers.

        Args:
            emissions: Logits of the tags for each document. *Shape:* (words, tags) each.
            labels: Labels in the order of the outputs.
        """
        tally = EntityTally()
        for document, words, spans in zip(
            self.documents, self.reader.words, BioDecoder(labels).decode_batch(emissions), strict=True
        ):
            gold = [entity.labeled_span for entity in document.entities or ()]
            tally.add(gold, [(words[span.first][0], words[span.last - 1][1], span.label) for span in spans])
        return tally.scores()

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
        return self.reader.answers(model, lambda words: head(words).float(), len(head.tags), autocast)
