"""Finished models that another one learns from: distillation (Hinton et al., 2015).

What a student imitates is what its teacher makes of each word, which says more than the annotation does: how sure it is, and
what else the word might be. So words that nobody annotated teach as well.

A teacher reads each document once, whole, as recognition would. So a student that is shown a sentence alone learns what the
teacher found with the document around it, and one that is as large as its student costs a fraction of an epoch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from viner.bundle import WEIGHTS, Bundle
from viner.errors import BundleError
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel
from viner.training.reading import DocumentReader


class Teacher(ABC):
    """What answers and never learns. Encoders are in memory only while they read.

    What it says of a word is a row of numbers, of which :meth:`emissions` and :meth:`vectors` tell what they mean; a row of NaN
    says nothing.
    """

    epochs: int | None = None
    """Passes over the training set that its student takes at least; None: as many as a model without a teacher."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Tells this teacher, and how it teaches, from all others."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What the log of the training says of it."""

    @abstractmethod
    def student(self, dropout: float) -> tuple[MultiHeadModel, EntityHead] | None:
        """The model that is to learn; None where that begins with a base.

        Args:
            dropout: Of hidden states, while it learns.
        """

    @abstractmethod
    def read(
        self, readers: Sequence[DocumentReader], device: torch.device, autocast: Callable[[], AbstractContextManager[object]]
    ) -> list[list[NDArray[np.float16]]]:
        """What it says of documents.

        Args:
            readers: The documents, as the student reads them.
            device: Where it computes.
            autocast: Makes the context in which it runs.

        Returns:
            What it says of the student's words, one array a document, for each of the readers. *Shape:* (words, numbers) each.
        """

    @abstractmethod
    def emissions(self, said: Tensor) -> Tensor:
        """The logits of the student's tags by what it says of words, in float32. *Shape:* (words, numbers) → (words, tags)."""

    @abstractmethod
    def vectors(self, said: Tensor) -> Tensor | None:
        """What the student's vectors of words are to come close to, if anything. *Shape:* (words, numbers) → (words, width)."""


def load_head(bundle: Bundle, width: int, dropout: float) -> EntityHead:
    """The head of a model folder with weights.

    Args:
        bundle: The folder.
        width: Width of its encoder.
        dropout: Of the vectors of words.

    Raises:
        BundleError: If it cannot be loaded.
    """
    path = bundle.path / WEIGHTS
    (said,) = bundle.info.heads
    head = EntityHead(said.layer, said.labels, width, dropout)
    try:
        with safe_open(path, "pt") as weights, torch.no_grad():
            head.linear.weight.copy_(weights.get_tensor("classifier.weight"))
            head.linear.bias.copy_(weights.get_tensor("classifier.bias"))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise BundleError(f"its head cannot be loaded ({error})", where=path) from error
    return head


def imitation_loss(logits: Tensor, wanted: Tensor, temperature: float) -> Tensor:
    """How far a student's answers are from its teacher's.

    Args:
        logits: The student's. *Shape:* (words, tags).
        wanted: The teacher's. *Shape:* (words, tags).
        temperature: Divides both. The higher, the more weighs what the teacher thinks of all tags but its first.

    Returns:
        The Kullback-Leibler divergence in nats, mean over the words, times the temperature's square, so that gradients are
        about as large at any temperature. *Shape:* ().
    """
    mine, theirs = (nn.functional.log_softmax(part / temperature, dim=-1) for part in (logits, wanted))
    return nn.functional.kl_div(mine, theirs, log_target=True, reduction="batchmean") * temperature**2


def prior_divergence(answers: Iterable[Tensor], temperature: float) -> float:
    """:func:`imitation_loss` of a student that gives each word the mean of all answers: what a collapsed one converges to.

    Args:
        answers: The teacher's logits. *Shape:* (words, tags) each; a word of which it says nothing has NaN.
        temperature: Divides them.
    """
    total, certain, words = torch.zeros(()), 0.0, 0
    for logits in answers:
        said = logits[~logits[:, 0].isnan()].double() / temperature
        logarithms = torch.log_softmax(said, dim=-1)
        total = total + logarithms.exp().sum(0)
        certain += float((logarithms.exp() * logarithms).sum())
        words += len(said)
    if not words:
        return 0.0
    mean = total / words
    return (certain / words - float((mean * mean.clamp(min=1e-30).log()).sum())) * temperature**2


def distance(vectors: Tensor, wanted: Tensor) -> Tensor:
    """How far a student's vectors of words are from its teacher's.

    Args:
        vectors: The student's. *Shape:* (words, width).
        wanted: The teacher's. *Shape:* (words, width).

    Returns:
        The mean squared difference as a share of the teacher's variance. *Shape:* ().
    """
    return nn.functional.mse_loss(vectors, wanted) / wanted.var().clamp(min=1e-6)
