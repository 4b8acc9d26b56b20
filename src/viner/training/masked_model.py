"""A base encoder with a head for masked language modeling, and the passages that both learn from and are measured on."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate.utils import set_seed
from numpy.typing import NDArray

from viner.encoding import PieceEncoder
from viner.training.adapt_config import AdaptConfig
from viner.training.data import of_one_length, usual_batch
from viner.training.language_head import language_head
from viner.training.masking import MaskedBatch, Masker, Passages
from viner.training.model import load_encoder
from viner.training.optimizer import adamw
from viner.training.precision import arithmetic, make_accelerator


@dataclass(frozen=True, slots=True)
class Guesses:
    """How well hidden pieces were guessed.

    Args:
        loss: Mean cross-entropy in nats; its exponential is the perplexity.
        accuracy: Share of the pieces that were guessed right, in [0, 1].
    """

    loss: float
    accuracy: float

    def to_dict(self) -> dict[str, float]:
        """The JSON form."""
        return {"loss": round(self.loss, 4), "accuracy": round(self.accuracy, 4)}


class MaskedModel:
    """An encoder that guesses hidden words of passages, some of which are held out.

    Args:
        base: Folder of the base.
        passages: The texts, cut by ``encoder``.
        encoder: Cuts words into pieces.
        config: All choices.

    Raises:
        BundleError: If the base cannot be loaded, or its tokenizer has no mask piece.
        TrainingError: If it has no embeddings of pieces.
    """

    def __init__(self, base: Path, passages: Passages, encoder: PieceEncoder, config: AdaptConfig) -> None:
        self._passages, self._config = passages, config
        self._masker = Masker(encoder, base, config.mask)
        self._specials = len(encoder.prefix) + len(encoder.suffix)
        self._learned, held_out = passages.split(config.held_out, config.held_out_most, config.seed)
        set_seed(config.seed)
        self._accelerator = make_accelerator(config.precision)
        self.encoder = load_encoder(base, config.dropout)
        self.head = language_head(base, self.encoder, passages.counts(int(self.encoder.config.vocab_size)))
        if config.freeze_embeddings:
            self.encoder.get_input_embeddings().weight.requires_grad_(False)
        for part in (self.encoder, self.head):
            part.to(self._accelerator.device)
        self._batch_pieces = config.batch_pieces or usual_batch(passages.pieces)
        # Always the same words of the same passages, so that measurements can be compared.
        rng = np.random.default_rng((config.seed, 0))
        batches = [self._masker.batch(passages, part, rng) for part in self._cut(held_out, rng)]
        self._held_out = [batch for batch in batches if len(batch.targets)]
        self.learned = len(self._learned)
        """Passages to learn from."""
        self.learned_pieces = int(passages.lengths[self._learned].sum())
        self.held_out = len(held_out)
        """Passages to measure on."""

    @property
    def width(self) -> int:
        """Length of the encoder's vectors."""
        return int(self.encoder.config.hidden_size)

    @property
    def arithmetic(self) -> str:
        """In what it computes, for people."""
        return arithmetic(self._accelerator)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        device: torch.device = self._accelerator.device
        return device

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        """Which passages go together in an epoch, in random order; not every epoch has as many batches.

        What is drawn depends on seed, epoch and place alone, also where an adaptation goes on.
        """
        rng = np.random.default_rng((self._config.seed, 1, epoch))
        parts = self._cut(self._learned, rng)
        return [parts[place] for place in rng.permutation(len(parts))]

    def batch(self, part: NDArray[np.int64], epoch: int, place: int) -> MaskedBatch:
        """Passages of a plan with words hidden; which depends on seed, epoch and place alone."""
        return self._masker.batch(self._passages, part, np.random.default_rng((self._config.seed, 2, epoch, place)))

    def step(self, batch: MaskedBatch, optimizer: torch.optim.Optimizer, *, encoder: bool = True) -> float:
        """One step; returns the loss in nats a piece, 0 where there is nothing to guess."""
        if not len(batch.targets):
            return 0.0
        batch = batch.to(self._accelerator.device)
        with self._autocast():
            with torch.set_grad_enabled(encoder):
                vectors = self._vectors(batch)
            loss = torch.nn.functional.cross_entropy(self.head(vectors).float(), batch.targets)
        value = float(loss.detach())
        if math.isfinite(value):
            self._accelerator.backward(loss)
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, self._config.clip)
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return value

    @torch.inference_mode()
    def measure(self) -> Guesses:
        """How well the held-out passages are guessed."""
        self.encoder.eval()
        self.head.eval()
        loss, right, count = 0.0, 0, 0
        for part in self._held_out:
            batch = part.to(self._accelerator.device)
            with self._autocast():
                logits = self.head(self._vectors(batch)).float()
            loss += float(torch.nn.functional.cross_entropy(logits, batch.targets, reduction="sum"))
            right += int((logits.argmax(-1) == batch.targets).sum())
            count += len(batch.targets)
        self.head.train()
        return Guesses(loss / max(count, 1), right / max(count, 1))

    def optimizer(self, *parts: tuple[torch.nn.Module, float], rate: float) -> torch.optim.AdamW:
        """AdamW over parts of the model with their peak rates; what two parts share belongs to the first."""
        weights = [(weight, peak) for part, peak in parts for weight in part.parameters()]
        return adamw(weights, rate, self._config.weight_decay)

    def weights(self) -> dict[str, torch.Tensor]:
        """What of the encoder changes."""
        changing = {name for name, parameter in self.encoder.named_parameters() if parameter.requires_grad}
        return {name: t.detach().cpu().clone() for name, t in self.encoder.state_dict().items() if name in changing}

    def _cut(self, indices: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Passages of about one length together."""
        lengths = self._passages.lengths[indices] + self._specials
        return [indices[part] for part in of_one_length(lengths, self._batch_pieces, rng)]

    def _vectors(self, batch: MaskedBatch) -> torch.Tensor:
        hidden = self.encoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        vectors: torch.Tensor = hidden.flatten(0, 1).index_select(0, batch.positions)
        return vectors

    def _autocast(self) -> AbstractContextManager[object]:
        context: AbstractContextManager[object] = self._accelerator.autocast()
        return context
