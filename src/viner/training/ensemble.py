"""Models whose answer another one learns, however they are built: a large encoder, several seeds, the same recipe once before.

The student begins with a base of its own. One that is as large as its teacher may still do better (Furlanello et al., 2018,
"Born-Again Neural Networks"); of several teachers the mean of their probabilities teaches, as in Hinton et al. (2015). Teachers
may have other tokenizers, and may read segments where the student reads words: each reads a text in its own way, and what it
says of its words is carried over to the student's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoConfig

from viner.bundle import WEIGHTS, Bundle
from viner.document import Document, Span
from viner.encoding import PieceEncoder, bio_tags
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel, load_encoder
from viner.training.reading import DocumentReader
from viner.training.teacher import Teacher, load_head

_LEAST = 1e-9
"""A tag that is less probable counts as this probable, since 0 has no logarithm."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of the models.

    Args:
        bundle: Its folder, with weights.
        words: Gives documents the words that it reads, where those are others than theirs.
    """

    bundle: Bundle
    words: Callable[[Sequence[Document]], Sequence[Document]] = lambda documents: documents


class Ensemble(Teacher):
    """One model or several, whose mean answer a student learns that begins with a base.

    Args:
        members: The models. All know the same labels.
        labels: These, in the order of the student's outputs.

    Raises:
        BundleError: If the weights of one cannot be loaded.
    """

    def __init__(self, members: Sequence[Member], labels: Sequence[str]) -> None:
        self._members = tuple(members)
        self._tags = bio_tags(labels)
        # Read now, so that a broken model is found before anything else is done.
        self._heads = [load_head(member.bundle, _width(member.bundle), dropout=0.0) for member in self._members]

    @property
    def identity(self) -> str:
        """Tells this ensemble from all others."""
        return " ".join(sorted(member.bundle.info.files[WEIGHTS].sha256 for member in self._members))

    def facts(self) -> dict[str, Any]:
        """How many models there are."""
        return {"models": len(self._members)}

    def student(self, dropout: float) -> None:
        """None: it begins with a base."""

    def read(
        self, readers: Sequence[DocumentReader], device: torch.device, autocast: Callable[[], AbstractContextManager[object]]
    ) -> list[list[NDArray[np.float16]]]:
        """The logarithms of the mean probabilities of the student's tags. *Shape:* (words, tags) each."""
        sums: list[list[NDArray[np.float32]]] = []
        for member, head in zip(self._members, self._heads, strict=True):
            # One at a time, so that no more than one model is in memory.
            said = self._ask(member, head, readers, device, autocast)
            sums = [[a + b for a, b in zip(*pair, strict=True)] for pair in zip(sums, said, strict=True)] if sums else said
        count = len(self._members)
        return [[np.log(np.maximum(part / count, _LEAST)).astype(np.float16) for part in parts] for parts in sums]

    def emissions(self, said: Tensor) -> Tensor:
        """What it says is that, in float32."""
        return said.float()

    def vectors(self, said: Tensor) -> None:
        """None: a teacher's vectors are its own."""

    def _ask(
        self,
        member: Member,
        head: EntityHead,
        readers: Sequence[DocumentReader],
        device: torch.device,
        autocast: Callable[[], AbstractContextManager[object]],
    ) -> list[list[NDArray[np.float32]]]:
        """The probabilities that one of the models gives the student's tags. *Shape:* (words, tags) each."""
        info, folder = member.bundle.info, member.bundle.path
        order = [head.tags.index(tag) for tag in self._tags]

        def probabilities(words: Tensor) -> Tensor:
            with torch.autocast(device.type, enabled=False):
                return torch.softmax(head(words.float()), dim=-1)[:, order]

        pieces = PieceEncoder.from_folder(folder, views=info.views, max_pieces=info.windows.pieces)
        model = MultiHeadModel(load_encoder(folder, 0.0), [head]).to(device)
        found = []
        for reader in readers:
            own = DocumentReader(member.words(reader.documents), pieces, overlap=info.windows.overlap)
            said = own.answers(model, probabilities, len(order), autocast())
            found.append([carried_over(*part) for part in zip(said, own.words, reader.words, strict=True)])
        return found


def _width(bundle: Bundle) -> int:
    """How wide the encoder of a model folder is."""
    return int(AutoConfig.from_pretrained(bundle.path, trust_remote_code=False).hidden_size)


def carried_over(probabilities: NDArray[np.float32], theirs: Sequence[Span], mine: Sequence[Span]) -> NDArray[np.float32]:
    """What a model says of its words, as far as it says something of others in the same text.

    A word takes what is said of the word that it begins in. If it begins later than that one, it goes on with the entity that
    the other begins. Of one that begins in no word nothing is known.

    Args:
        probabilities: Of the tags, as :func:`viner.encoding.bio_tags` numbers them. *Shape:* (their words, tags).
        theirs: Spans of their words, in order.
        mine: Spans of the other words.

    Returns:
        The probabilities, NaN where nothing is known. *Shape:* (my words, tags).
    """
    if list(theirs) == list(mine):
        return probabilities
    starts, ends = (np.array([span[side] for span in theirs], dtype=np.int64) for side in (0, 1))
    begins = np.array([start for start, _ in mine], dtype=np.int64)
    found = np.full((len(mine), probabilities.shape[1]), np.nan, dtype=np.float32)
    if not len(theirs):
        return found
    place = np.searchsorted(starts, begins, side="right") - 1
    known = (place >= 0) & (begins < ends[place])
    found[known] = probabilities[place[known]]
    inside = known & (begins > starts[place])
    found[inside, 2::2] += found[inside, 1::2]
    found[inside, 1::2] = 0.0
    return found
