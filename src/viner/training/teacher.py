"""A finished model that a smaller one learns from: distillation (Hinton et al., 2015) into a part of its own layers.

The student begins as its teacher with layers left out, so that it need not learn the task anew. What it imitates is what the
teacher makes of each word: its vector, and by the teacher's head the answer, which says more than the annotation does: how sure
it is, and what else the word might be. So words that nobody annotated teach as well.

The teacher reads each document once, whole, as recognition would. So it costs a fraction of one epoch, and a student that is
shown a sentence alone learns what the teacher found with the document around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from viner.bundle import Bundle
from viner.errors import BundleError, UsageError
from viner.training.heads import EntityHead
from viner.training.layers import count_layers, keep_layers, spread
from viner.training.model import MultiHeadModel, load_encoder
from viner.training.reading import DocumentReader

_WEIGHTS = "model.safetensors"


class Teacher:
    """A model that answers and never learns. Its encoder is in memory only while it reads.

    Args:
        bundle: Its folder, with weights.
        layers: Layers of the student; None keeps half of the teacher's.

    Raises:
        BundleError: If its weights cannot be loaded.
        TrainingError: If no layer of such an encoder can be left out.
        UsageError: If it has fewer layers than the student is to have.
    """

    def __init__(self, bundle: Bundle, layers: int | None = None) -> None:
        self.bundle = bundle
        self.layers, width = count_layers(bundle.path)
        """How many layers it has."""
        count = max(1, self.layers // 2) if layers is None else layers
        if not 1 <= count <= self.layers:
            raise UsageError(
                f"a model of {self.layers} layers can be distilled into 1 to {self.layers}, not {count}",
                hint="Leave --layers out for half of them",
            )
        self.kept = spread(count, self.layers)
        """Indices of its layers that the student begins with."""
        self._head = self._load_head(width, dropout=0.0).requires_grad_(False)

    @property
    def identity(self) -> str:
        """Tells this teacher and this choice of layers from all others."""
        return f"{self.bundle.info.files[_WEIGHTS].sha256} {self.kept}"

    def student(self, dropout: float) -> tuple[MultiHeadModel, EntityHead]:
        """A copy of the teacher without the layers that are left out.

        Args:
            dropout: Of hidden states, while it learns.
        """
        encoder = load_encoder(self.bundle.path, dropout)
        keep_layers(encoder, self.kept)
        head = self._load_head(int(encoder.config.hidden_size), dropout)
        return MultiHeadModel(encoder, [head]), head

    def read(
        self, readers: Sequence[DocumentReader], device: torch.device, autocast: Callable[[], AbstractContextManager[object]]
    ) -> list[list[NDArray[np.float16]]]:
        """What it makes of documents.

        Args:
            readers: The documents.
            device: Where it computes.
            autocast: Makes the context in which it runs.

        Returns:
            The vectors of the words, one array a document, for each of the readers. *Shape:* (words, width) each.
        """
        encoder = load_encoder(self.bundle.path, 0.0)
        model = MultiHeadModel(encoder, [self._head]).to(device)
        width = int(encoder.config.hidden_size)
        # Half precision keeps them small: 0.8 kB a word at a width of 384.
        return [reader.answers(model, lambda words: words.half(), width, autocast()) for reader in readers]

    def emissions(self, vectors: Tensor) -> Tensor:
        """The logits that it gives words by their vectors, in float32. *Shape:* (words, width) → (words, tags)."""
        device = self._head.linear.weight.device
        with torch.autocast(device.type, enabled=False):
            logits: Tensor = self._head(vectors.to(device, torch.float32))
        return logits

    def _load_head(self, width: int, dropout: float) -> EntityHead:
        path = self.bundle.path / _WEIGHTS
        (said,) = self.bundle.info.heads
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


def distance(vectors: Tensor, wanted: Tensor) -> Tensor:
    """How far a student's vectors of words are from its teacher's.

    Args:
        vectors: The student's. *Shape:* (words, width).
        wanted: The teacher's. *Shape:* (words, width).

    Returns:
        The mean squared difference as a share of the teacher's variance. *Shape:* ().
    """
    return nn.functional.mse_loss(vectors, wanted) / wanted.var().clamp(min=1e-6)
