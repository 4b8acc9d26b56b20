"""A larger model that a smaller one is made of: distillation into a part of its own layers.

The student begins as its teacher with layers left out, so that it need not learn the task anew. Beside the answer it imitates
the vector of each word, from which the teacher's head makes the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viner.bundle import WEIGHTS, Bundle
from viner.errors import UsageError
from viner.training.heads import EntityHead
from viner.training.layers import count_layers, keep_layers, spread
from viner.training.model import MultiHeadModel, load_encoder
from viner.training.reading import DocumentReader
from viner.training.teacher import Teacher, load_head


class LargerModel(Teacher):
    """A model whose student is a part of it, and reads as it does.

    Args:
        bundle: Its folder, with weights.
        layers: Layers of the student; None keeps half of the teacher's.

    Raises:
        BundleError: If its weights cannot be loaded.
        TrainingError: If no layer of such an encoder can be left out.
        UsageError: If it has fewer layers than the student is to have.
    """

    epochs = 12  # they take about half as long as its own did, and the student still gains from the last ones

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
        self._head = load_head(bundle, width, dropout=0.0).requires_grad_(False)

    @property
    def identity(self) -> str:
        """Tells this teacher and this choice of layers from all others."""
        return f"{self.bundle.info.files[WEIGHTS].sha256} {self.kept}"

    def facts(self) -> dict[str, Any]:
        """How many layers it has, and which of them, counted from 1, the student begins with."""
        return {"layers": self.layers, "kept": [index + 1 for index in self.kept]}

    def student(self, dropout: float) -> tuple[MultiHeadModel, EntityHead]:
        """A copy of the teacher without the layers that are left out."""
        encoder = load_encoder(self.bundle.path, dropout)
        keep_layers(encoder, self.kept)
        head = load_head(self.bundle, int(encoder.config.hidden_size), dropout)
        return MultiHeadModel(encoder, [head]), head

    def read(
        self, readers: Sequence[DocumentReader], device: torch.device, autocast: Callable[[], AbstractContextManager[object]]
    ) -> list[list[NDArray[np.float16]]]:
        """The vectors of the words. *Shape:* (words, width) each."""
        encoder = load_encoder(self.bundle.path, 0.0)
        model = MultiHeadModel(encoder, [self._head]).to(device)
        width = int(encoder.config.hidden_size)
        # Half precision keeps them small: 0.8 kB a word at a width of 384.
        return [reader.answers(model, lambda words: words.half(), width, autocast()) for reader in readers]

    def emissions(self, said: Tensor) -> Tensor:
        """The logits that it gives words by their vectors."""
        device = self._head.linear.weight.device
        with torch.autocast(device.type, enabled=False):
            logits: Tensor = self._head(said.to(device, torch.float32))
        return logits

    def vectors(self, said: Tensor) -> Tensor:
        """The vectors themselves, in float32."""
        return said.float()
