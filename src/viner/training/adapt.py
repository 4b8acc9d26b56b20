"""A base encoder goes on learning from texts without annotations before it is trained for the task.

Further pretraining on texts of the domain, or on the task's own texts, by masked language modeling (Gururangan et al., 2020):
words are hidden, and the encoder learns to guess them from what stands around. Where the base has no head for that, as sentence
encoders have none, a new one learns alone first, upon the encoder as it is. What both then reach on held-out passages is what
adaptation has to better: it is measured in rounds, the best round is kept, and without a better one the base stays as it was.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from viner.base import identity
from viner.encoding import PieceEncoder
from viner.errors import TrainingError
from viner.training.adapt_config import AdaptConfig
from viner.training.adapted_base import AdaptedBase
from viner.training.checkpoint import ADAPTATION, TrainingFolder
from viner.training.config import default_learning_rate
from viner.training.masked_model import MaskedModel
from viner.training.masking import Passages
from viner.training.optimizer import set_rate

_LAYOUT = 3
"""Of checkpoints; an older one is not gone on from."""
Event = dict[str, Any]

_ROUNDS = 20
_PIECES, _MAX_EPOCHS = 1_500_000, 30
_HEAD_STEPS, _HEAD_TIME = 0.5, 0.25
"""At most so many steps of a new head alone for each of the encoder's, and such a share of the time."""
_RATE_OF_TASK = 0.5


@dataclass(slots=True)
class _State:
    """Where an adaptation stands between two rounds."""

    steps: int = 0
    epoch: int = 0
    batch: int = 0
    """Batches of the current epoch that are behind."""
    passes: float = 0.0
    """Epochs that are behind, parts included."""
    seconds: float = 0.0
    head_seconds: float = 0.0
    before: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    """What was measured in the best round, rounded, for people; before the first one, what was measured at the beginning."""
    best_loss: float = math.inf
    """The loss of that, not rounded."""
    best_round: int = 0
    round: int = 0
    progress: float = 0.0
    diverged: bool = False


class Adapter:
    """Adapts an encoder to texts.

    Args:
        base: Folder of the base.
        passages: The texts, cut by ``encoder``.
        encoder: Cuts words into pieces, as the training for the task will.
        config: All choices.
        observe: Called with each event: ``{"event": "adapt_start" | "adapt_resume" | "adapt_found" | "adapt_step" |
            "adapt_round" | "adapt_end", …}``.

    Raises:
        BundleError: If the base cannot be loaded, or its tokenizer has no mask piece.
        TrainingError: If it has no embeddings of pieces.
    """

    def __init__(
        self,
        base: Path,
        passages: Passages,
        encoder: PieceEncoder,
        config: AdaptConfig,
        *,
        observe: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._base, self._passages, self._config, self._observe = base, passages, config, observe
        self._model = model = MaskedModel(base, passages, encoder, config)
        self._rate = config.learning_rate or _RATE_OF_TASK * default_learning_rate(model.width)
        self._epochs = config.epochs or int(np.clip(math.ceil(_PIECES / max(model.learned_pieces, 1)), 1, _MAX_EPOCHS))
        self._head_steps = (
            min(config.head_steps, int(_HEAD_STEPS * self._epochs * len(model.plan(0)))) if model.head.is_new else 0
        )
        self._fingerprint = _fingerprint(base, passages, encoder, config)
        self._best_weights: dict[str, torch.Tensor] = {}

    def run(self, folder: TrainingFolder) -> AdaptedBase:
        """Adapts, going on from a checkpoint in the folder if it belongs to this adaptation; if it is done, it is found there.

        Args:
            folder: The training's working folder, entered.

        Raises:
            TrainingError: If a new head learns nothing, or checkpoint or weights cannot be written.
        """
        target = folder.adapted(self._fingerprint)
        folder.remove_adapted(but=target)
        if (adapted := AdaptedBase.find(target)) is not None:
            self._emit("adapt_found", **adapted.record)
            return adapted
        state, optimizer = self._restore(folder)
        self._emit("adapt_start", **self._described())
        if not state.before:
            self._teach_head(state)
            found = self._model.measure()
            state.before = state.best = found.to_dict()
            state.best_loss = found.loss
            if not math.isfinite(state.before["loss"]):
                raise TrainingError(
                    f"the language-modeling head learns nothing: its loss is no number at a rate of"
                    f" {self._rate * self._config.head_multiplier:.1e}",
                    hint="Try a lower --adapt-learning-rate",
                )
            self._best_weights = self._model.weights()
            self._emit("adapt_round", round=0, seconds_left=self._left(state), best=True, **state.before)
            folder.save(self._checkpoint(state, optimizer), ADAPTATION)
        while not self._finished(state):
            self._round(state, optimizer)
            folder.save(self._checkpoint(state, optimizer), ADAPTATION)
        self._model.encoder.load_state_dict(self._best_weights, strict=False)
        record = self._record(state)
        self._emit("adapt_end", **record)
        adapted = AdaptedBase.write(target, self._model.encoder, self._base, record, folder.log)
        folder.discard(ADAPTATION)
        return adapted

    def _described(self) -> dict[str, Any]:
        return {
            "passages": self._model.learned,
            "held_out": self._model.held_out,
            "pieces": self._passages.pieces,
            "epochs": self._epochs,
            "minutes": self._config.budget_minutes,
            "rate": self._rate,
            "new_head": self._model.head.is_new,
            "precision": self._model.arithmetic,
            "device": str(self._model.device),
        }

    def _record(self, state: _State) -> dict[str, Any]:
        return {
            "passages": len(self._passages),
            "words": self._passages.words,
            "pieces": self._passages.pieces,
            "held_out": self._model.held_out,
            "sha256": self._passages.sha256,
            "epochs": round(state.passes, 2),
            "seconds": round(state.seconds + state.head_seconds, 1),
            "rate": self._rate,
            "before": state.before,
            "after": state.best,
            "kept": state.best_round > 0,
        }

    def _teach_head(self, state: _State) -> None:
        """Teaches a new head upon the encoder as it is, at a rate that falls from its peak."""
        if not self._head_steps:
            return
        torch.manual_seed(self._config.seed)
        optimizer = self._model.optimizer((self._model.head, self._rate * self._config.head_multiplier), rate=self._rate)
        self._model.encoder.eval()
        step = pieces = 0
        began, last = time.monotonic(), 0.0
        epoch = 0
        while step < self._head_steps and last < 1:
            for place, part in enumerate(self._model.plan(epoch)):
                running = time.monotonic() - began
                last = max(step / self._head_steps, running / (_HEAD_TIME * 60 * (self._config.budget_minutes or math.inf)))
                if last >= 1:
                    break
                set_rate(optimizer, last, self._config.warmup)
                batch = self._model.batch(part, epoch, place)
                loss = self._model.step(batch, optimizer, encoder=False)
                step, pieces = step + 1, pieces + batch.pieces
                state.head_seconds = time.monotonic() - began
                self._tell(state, loss, optimizer, pieces, state.head_seconds, step / max(last, 1e-9), step, part="head")
            epoch += 1
        self._model.encoder.zero_grad(set_to_none=True)  # of embeddings that the head shares

    def _round(self, state: _State, optimizer: torch.optim.Optimizer) -> None:
        """Learns until the next twentieth of the adaptation, and measures."""
        torch.manual_seed(hash((self._config.seed, state.steps)) & 0x7FFFFFFF)
        self._model.encoder.train()
        until = (math.floor(state.progress * _ROUNDS + 1e-9) + 1) / _ROUNDS
        began, pieces, spent = time.monotonic(), 0, state.seconds
        losses: list[float] = []
        while state.progress < until and not state.diverged:
            plan = self._model.plan(state.epoch)
            for part in plan[state.batch :]:
                set_rate(optimizer, state.progress, self._config.warmup)
                batch = self._model.batch(part, state.epoch, state.batch)
                loss = self._model.step(batch, optimizer)
                state.diverged = not math.isfinite(loss)
                if state.diverged:
                    break
                losses.append(loss)
                state.steps, state.batch = state.steps + 1, state.batch + 1
                pieces += batch.pieces
                state.seconds = spent + time.monotonic() - began
                state.passes = state.epoch + state.batch / len(plan)
                left = 60 * (self._config.budget_minutes or math.inf) - state.head_seconds
                state.progress = max(state.passes / self._epochs, state.seconds / left if left > 0 else 1.0)
                self._tell(state, loss, optimizer, pieces, state.seconds - spent, state.steps / state.progress, state.steps)
                if state.progress >= until:
                    break
            if state.batch == len(plan):
                state.epoch, state.batch = state.epoch + 1, 0
        state.round += 1
        found = self._model.measure()
        better = not state.diverged and found.loss < state.best_loss
        if better:
            state.best, state.best_loss, state.best_round = found.to_dict(), found.loss, state.round
            self._best_weights = self._model.weights()
        shown = found.to_dict() if math.isfinite(found.loss) else {"loss": None, "accuracy": None}  # JSON has no NaN
        self._emit(
            "adapt_round",
            round=state.round,
            rate=optimizer.param_groups[0]["lr"],
            share=round(min(state.progress, 1.0), 3),
            learned=round(float(np.mean(losses)), 4) if losses else None,
            pieces_per_second=round(pieces / max(state.seconds - spent, 1e-9), 1),
            seconds_left=self._left(state),
            best=better,
            **shown,
        )

    # -- where it stands ----------------------------------------------------------------------------------------------------

    def _finished(self, state: _State) -> bool:
        waited = state.round - state.best_round >= self._config.patience
        return state.progress >= 1 - 1e-9 or state.diverged or waited

    def _left(self, state: _State) -> float | None:
        """Seconds that the rest will take at the speed so far; None before the encoder has learned at all."""
        return round(state.seconds * (1 / state.progress - 1), 1) if 0 < state.progress < 1 else None

    def _checkpoint(self, state: _State, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        current = None if state.best_round == state.round else self._model.weights()
        return {
            "fingerprint": self._fingerprint,
            "state": {item.name: getattr(state, item.name) for item in fields(state)},
            "best": self._best_weights,
            "current": current,
            "head": self._model.head.state_dict(),
            "optimizer": optimizer.state_dict(),
        }

    def _restore(self, folder: TrainingFolder) -> tuple[_State, torch.optim.Optimizer]:
        state = _State()
        saved = folder.load(self._fingerprint, ADAPTATION)
        if saved is not None:
            for name, value in saved["state"].items():
                setattr(state, name, value)
            self._best_weights = saved["best"]
            self._model.encoder.load_state_dict(saved["current"] or saved["best"], strict=False)
            self._model.head.load_state_dict(saved["head"])
        # After the head has learned alone, at the encoder's rate: it is to follow the encoder, not to lead it.
        model, rate = self._model, self._rate
        optimizer = model.optimizer((model.encoder, rate), (model.head, rate), rate=rate)
        if saved is not None:
            optimizer.load_state_dict(saved["optimizer"])
            self._emit("adapt_resume", share=round(state.progress, 3), **state.best)
        return state, optimizer

    def _tell(
        self,
        state: _State,
        loss: float,
        optimizer: torch.optim.Optimizer,
        pieces: int,
        seconds: float,
        steps: float,
        step: int,
        part: str = "encoder",
    ) -> None:
        self._emit(
            "adapt_step",
            part=part,
            step=step,
            steps=max(step, round(steps)),
            epoch=state.epoch + 1,
            loss=round(loss, 4),
            rate=optimizer.param_groups[0]["lr"],
            pieces=pieces,
            seconds=seconds,
        )

    def _emit(self, event: str, **fields: Any) -> None:
        self._observe({"event": event, **fields})


def _fingerprint(base: Path, passages: Passages, encoder: PieceEncoder, config: AdaptConfig) -> str:
    told = [_LAYOUT, encoder.views, encoder.max_pieces, config.to_dict(), identity(base)]
    digest = hashlib.sha256(json.dumps(told).encode())
    digest.update(passages.sha256.encode())
    return digest.hexdigest()
