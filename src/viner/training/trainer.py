"""The training loop: epochs of drawn examples, the best epoch by dev F1, checkpoints, and recovery from a collapse."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import set_seed

from viner.corpus import is_partial
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.errors import InputError, TrainingError
from viner.metrics import EntityScores
from viner.training.adversarial import Adversary
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig, default_learning_rate
from viner.training.data import TrainingSet
from viner.training.distributed import Part, Processes, Step
from viner.training.export import check_export
from viner.training.fingerprint import training_fingerprint
from viner.training.heads import EntityHead
from viner.training.lora import add_adapters, merge_adapters
from viner.training.model import MultiHeadModel, check_stock, load_encoder, recompute_layers
from viner.training.objective import Objective
from viner.training.optimizer import make_optimizer, set_rate
from viner.training.precision import arithmetic
from viner.training.reading import DocumentReader
from viner.training.scoring import DevSet
from viner.training.selection import BestOnDev, LastOfRefit, Plan
from viner.training.teacher import Teacher

Event = dict[str, Any]
Observer = Callable[[Event], None]
"""Called with each event: ``{"event": NAME, …}``; names are start, listen, teacher, step, epoch, collapse, resume and end."""

_MIN_EPOCHS, _MIN_STEPS, _MAX_EPOCHS = 8, 400, 40
_SCORING_COST, _SCORING_SHARE, _LEAST_SCORED = 1 / 3, 1 / 2, 8
"""A piece is scored in a third of the time in which it is learned from."""
_COLLAPSED_LOSS, _STEPS_TO_TELL = 0.85, 100
_RATE_AFTER_COLLAPSE = 0.4


@dataclass(slots=True)
class TrainingResult:
    """What a training leaves.

    Args:
        model: With the weights of the best epoch, or of the last one of a refit.
        head: Its entity head.
        encoder: The piece encoder it was trained with.
        scores: Its dev scores; of a refit, on documents that it has learned.
        history: One entry an epoch: epoch, loss, rate, dev scores (None where the epoch was not scored), seconds.
        lost: Entities that were taught differently or not at all, by reason.
        pieces_per_second: Median over the epochs, training steps only.
        seconds: Wall-clock time, this run only.
        plan: For a training that learns dev as well.
        teacher_f1: Strict micro F1 of the teacher on the dev set; None without one.
    """

    model: MultiHeadModel
    head: EntityHead
    encoder: PieceEncoder
    scores: EntityScores
    history: list[dict[str, Any]]
    lost: dict[str, int]
    pieces_per_second: float
    seconds: float
    plan: Plan
    teacher_f1: float | None = None

    @property
    def training_seconds(self) -> float:
        """Time of all its steps, those before an interruption included."""
        return float(sum(entry["seconds"] for entry in self.history))


@dataclass(slots=True)
class _State:
    """Where a training stands between two epochs; ``steps`` are those of this attempt, ``total`` those of all."""

    epoch: int = 0
    attempt: int = 0
    steps: int = 0
    total: int = 0
    rate: float = 0.0
    seconds: float = 0.0
    attempt_epoch: int = 0
    attempt_seconds: float = 0.0
    best_f1: float = -1.0
    best_epoch: int = 0
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


class Trainer:
    """Trains an encoder with an entity head.

    Args:
        base: Folder of the base encoder, or of the larger model.
        labels: Labels of the entity layer, in the order of the outputs.
        train: Documents to learn from.
        dev: Documents to choose the best epoch on.
        config: All choices.
        layer: Name of the entity layer.
        teacher: What says of each word what it is, beside the annotation; the trained model may begin as a part of it.
        observe: Called with each event, in the main process.
        processes: Those that train together; None finds out.
        refit: What the training that chose tells this one, which learns dev as well. None where dev chooses.

    Raises:
        InputError: If there is nothing to learn from.
        BundleError: If the base cannot be loaded.
        TrainingError: If it has no stock form that the model could be written in.
    """

    def __init__(
        self,
        base: Path,
        labels: Sequence[str],
        train: Sequence[Document],
        dev: Sequence[Document],
        config: TrainingConfig,
        *,
        layer: str = "entities",
        teacher: Teacher | None = None,
        observe: Observer = lambda event: None,
        processes: Processes | None = None,
        refit: Plan | None = None,
    ) -> None:
        self._selection = BestOnDev() if refit is None else LastOfRefit(refit)
        config = self._selection.configured(config)
        self._base = base
        self._labels = tuple(labels)
        self._layer = layer
        self._teacher = teacher
        self._config = config
        self._objective = Objective(config, teacher)
        self._observe = observe
        set_seed(config.seed)
        self._processes = processes or Processes(config.precision)
        self._accelerator = self._processes.accelerator
        self._parts = self._processes.count * config.accumulate
        self._encoder = PieceEncoder.from_folder(base, views=config.views, max_pieces=config.window_pieces)
        self._model, self._head = self._new_model()
        check_export(self._model.encoder)
        self._train = TrainingSet(train, self._encoder, self._head, config, every_word=teacher is not None, parts=self._parts)
        if not (self._train.targets > 0).any():
            raise InputError(
                "the training documents hold no entity of the schema", hint="Annotate some, or check the label names"
            )
        if teacher is None and not (self._train.targets == 0).any() and any(is_partial(document) for document in train):
            # A model that never saw a word outside of entities finds them everywhere.
            raise InputError(
                "the training documents are annotated only in part, and no word of them is known to be outside of entities",
                hint="Finish some of them: a document that is done teaches where there is no entity",
            )
        self._dev = DevSet(dev, self._encoder, overlap=config.window_overlap)
        self._prior = 0.0 if teacher is not None else self._objective.prior(self._train.targets)  # a teacher has yet to speak
        self._fingerprint = training_fingerprint(base, labels, train, dev, config, teacher)

    def _new_model(self) -> tuple[MultiHeadModel, EntityHead]:
        """The model before it has learned anything, the same in all processes."""
        torch.manual_seed(self._config.seed)
        begun = None if self._teacher is None else self._teacher.student(self._config.dropout)
        if begun is not None:
            model, head = begun
        else:
            encoder = load_encoder(self._base, self._config.dropout)
            head = EntityHead(self._layer, self._labels, int(encoder.config.hidden_size), self._config.dropout)
            model = MultiHeadModel(encoder, [head])
        check_stock(model.encoder)
        if self._config.gradient_checkpointing:
            recompute_layers(model.encoder)
        if self._config.lora is not None:
            add_adapters(
                model.encoder, self._config.lora, self._config.lora_alpha or 2.0 * self._config.lora, self._config.lora_dropout
            )
        model = model.to(self._accelerator.device)
        self._replica = self._processes.replica(model)
        opposed = self._config.adversarial > 0 and self._teacher is None
        self._adversary = Adversary(model.encoder, self._config.adversarial) if opposed else None
        return model, head

    def run(self, folder: TrainingFolder) -> TrainingResult:
        """Trains, going on from a checkpoint in the folder if it belongs to this training.

        Args:
            folder: The training's working folder, entered.

        Raises:
            TrainingError: If the model collapses at every rate that was tried, the loss is no number, or a refit finds nothing
                where the model before it found something.
        """
        started = time.monotonic()
        state = _State(rate=self._config.learning_rate or self._default_rate(), total=self._selection.steps_before)
        optimizer = self._restore(folder, state)
        epochs = self._epochs()
        self._emit(
            "start",
            epochs=epochs,
            documents=len(self._train),
            pieces=self._train.pieces,
            rate=state.rate,
            batch_pieces=self._train.batch_pieces,
            batches=self._parts,
            processes=self._processes.count,
            adversarial=0.0 if self._adversary is None else self._adversary.size,
            precision=arithmetic(self._accelerator),
            device=str(self._accelerator.device),
            weights=sum(weight.numel() for weight in self._model.parameters()),
            learning=sum(weight.numel() for weight in self._model.parameters() if weight.requires_grad),
            lost=dict(self._train.lost_counts()),
            **self._selection.facts,
        )
        teacher_f1 = None if self._teacher is None else self._listen(self._teacher)
        while state.epoch < epochs and not self._finished(state):
            loss = self._one_epoch(state, epochs, optimizer)
            scores = self._dev_scores() if self._is_scored(state, epochs) else None
            if self._collapsed(state, loss, scores):
                try:
                    optimizer = self._recover(state, loss)
                except TrainingError:
                    if self._processes.main:
                        folder.discard(self._selection.checkpoint)  # going on from there would only fail again
                    raise
                self._save(folder, state, optimizer)
                continue
            self._record(state, loss, scores)
            self._save(folder, state, optimizer)
            # Told only now: whoever stops a training after this message finds the epoch when it goes on.
            best = self._selection.told(state.best_epoch == state.epoch)
            self._emit("epoch", best=bool(best), **state.history[-1])
        if not state.best_weights:
            raise TrainingError("the time was up before an epoch could be kept", hint="Give it a larger --budget")
        self._model.relearn(state.best_weights)
        if self._config.lora is not None:
            merge_adapters(self._model.encoder)
        scores = self._dev_scores()
        try:
            self._selection.check(scores)
        except TrainingError:
            if self._processes.main:
                folder.discard(self._selection.checkpoint)
            raise
        rates = [entry["pieces_per_second"] for entry in state.history]
        seconds = time.monotonic() - started
        compared = {} if teacher_f1 is None else {"teacher_f1": teacher_f1}
        dev_f1 = self._selection.told(scores.micro.f1)
        self._emit("end", best_epoch=state.best_epoch, dev_f1=dev_f1, seconds=round(seconds, 1), **compared)
        return TrainingResult(
            self._model,
            self._head,
            self._encoder,
            scores,
            state.history,
            dict(self._train.lost_counts()),
            float(np.median(rates)),
            seconds,
            Plan(
                state.rate,
                state.best_epoch if self._waited(state) and state.epoch < epochs else epochs,
                state.total,
                bool(scores.micro.predicted),
            ),
            teacher_f1,
        )

    def _is_scored(self, state: _State, epochs: int) -> bool:
        """Whether an epoch that is over is scored: all are, unless dev is so large that scoring would take most of the time.

        Then scoring takes about half as long as training, but eight epochs at least are scored, and always the last.
        """
        wanted = math.ceil(_SCORING_COST * self._dev.reader.pieces / max(1, self._train.pieces) / _SCORING_SHARE)
        every = max(1, min(wanted, epochs // _LEAST_SCORED))
        return state.epoch % every == 0 or state.epoch >= epochs or self._finished(state)

    def _listen(self, teacher: Teacher) -> float:
        """Has the teacher read all documents; returns its dev F1, by which the student is measured."""
        began = time.monotonic()
        self._emit("listen")
        reader = DocumentReader(self._train.documents, self._encoder, overlap=self._config.window_overlap)
        taught, said = teacher.read([reader, self._dev.reader], self._accelerator.device, self._autocast)
        self._train.hear(taught)
        self._prior = self._objective.prior(self._train.targets, taught, self._train.taught_steps(self._parts))
        # Where it says nothing, it finds nothing.
        emissions = [np.nan_to_num(teacher.emissions(torch.from_numpy(part)).cpu().numpy()) for part in said]
        scores = self._dev.scores(emissions, self._labels)
        self._emit("teacher", **teacher.facts(), dev_f1=scores.micro.f1, seconds=round(time.monotonic() - began, 1))
        return scores.micro.f1

    def _finished(self, state: _State) -> bool:
        return self._waited(state) or self._spent(state, state.epoch - state.attempt_epoch) >= 1

    def _waited(self, state: _State) -> bool:
        # A model that finds nothing yet may still be warming up: patience begins with the first entity that is right.
        patience = self._config.patience
        return patience is not None and state.epoch - state.best_epoch >= patience and state.best_f1 > 0

    def _default_rate(self) -> float:
        width = int(self._model.encoder.config.hidden_size)
        return default_learning_rate(width, adapters=self._config.lora is not None)

    def _epochs(self) -> int:
        if self._config.epochs is not None:
            return self._config.epochs
        steps = max(1, self._train.pieces // (self._train.batch_pieces * self._parts))
        least = _MIN_EPOCHS if self._teacher is None else self._teacher.epochs or _MIN_EPOCHS
        return int(np.clip(math.ceil(_MIN_STEPS / steps), least, _MAX_EPOCHS))

    def _one_epoch(self, state: _State, epochs: int, optimizer: torch.optim.Optimizer) -> float:
        """Trains for one epoch; returns the mean loss of its last third, or what is no number as soon as it comes up."""
        # Seeded by epoch and attempt, so that a resumed training draws what an uninterrupted one would.
        seed = (self._config.seed, state.attempt, state.epoch)
        steps = self._processes.deal(self._train.epoch(np.random.default_rng(seed)), self._config.accumulate)
        # What processes drop out of their batches is their own.
        torch.manual_seed(hash((*seed, self._processes.index) if self._processes.index else seed) & 0x7FFFFFFF)
        self._model.train()
        losses: list[float] = []
        pieces, began = 0, time.monotonic()
        for step, part in enumerate(steps):
            passes = state.epoch - state.attempt_epoch + step / len(steps)
            progress = max(passes / (epochs - state.attempt_epoch), self._spent(state, passes, time.monotonic() - began))
            if self._config.budget_minutes is not None:
                progress = self._processes.share(progress)  # clocks differ
            if progress >= 1 and losses:
                break
            set_rate(optimizer, progress, self._config.warmup)
            losses.append(self._backward(part))
            if not math.isfinite(losses[-1]):
                optimizer.zero_grad(set_to_none=True)
                break
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._config.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            pieces += part.pieces
            self._emit(
                "step",
                epoch=state.epoch + 1,
                epochs=epochs,
                step=step + 1,
                steps=len(steps),
                total=state.total + step + 1,
                loss=round(losses[-1], 4),
                rate=optimizer.param_groups[0]["lr"],
                pieces=pieces,
                seconds=time.monotonic() - began,
            )
        seconds = self._processes.share(time.monotonic() - began)
        state.seconds += seconds
        state.steps += len(losses)
        state.total += len(losses)
        state.epoch += 1
        self._last = {"pieces_per_second": round(pieces / max(seconds, 1e-9), 1), "seconds": round(seconds, 1)}
        return float(np.mean(losses[-max(1, len(losses) // 3) :]))

    def _backward(self, step: Step) -> float:
        """Adds up the gradients of a step, over all processes; returns its mean loss."""
        total = 0.0
        parts = self._objective.passes(step)
        for position, part in enumerate(parts, 1):
            last = position == len(parts)
            if self._adversary is None:
                total += self._pass(part, last=last)
                continue
            with self._adversary.watching():
                total += self._pass(part, last=False)
            with self._adversary.moving():
                farther = self._pass(part, last=last)
            if not math.isfinite(farther):
                total = math.nan  # its gradients are there, too
        return self._processes.mean(total)

    def _pass(self, part: Part, *, last: bool) -> float:
        """Adds the gradients of a part of a step, with the ``last`` pass the mean over all processes; returns its loss."""
        with self._processes.without_averaging(self._replica, last=last):
            with self._autocast():
                loss = self._loss(part)
            self._accelerator.backward(loss)
        return float(loss.detach())

    def _loss(self, part: Part) -> torch.Tensor:
        batch = self._objective.shown(part.batch.to(self._accelerator.device))
        return self._objective(self._head, self._replica(batch.input_ids, batch.attention_mask, batch.first), batch, part)

    def _spent(self, state: _State, passes: float, running: float = 0.0) -> float:
        """Share of the time budget that this attempt has used, of what the attempts before it left.

        Args:
            state: Where the training stands.
            passes: Epochs of this attempt, parts included.
            running: Seconds since ``state`` was brought up to date.
        """
        if self._config.budget_minutes is None:
            return 0.0
        left = 60 * self._config.budget_minutes - state.attempt_seconds
        used = (state.seconds - state.attempt_seconds + running) / left if left > 0 else 1.0
        least = self._config.least_epochs
        return min(used, passes / least) if least else used

    def _collapsed(self, state: _State, loss: float, scores: EntityScores | None) -> bool:
        """Whether the model has fallen to answering ``O`` everywhere, or to no number at all.

        A model that has only just begun also answers ``O``; but after some steps its loss falls below that of the bare class
        frequencies, where a collapsed one stays.
        """
        if not math.isfinite(loss):
            return True
        if state.steps < _STEPS_TO_TELL or scores is None:
            return False
        return self._dev.entities > 0 and scores.micro.predicted == 0 and loss > _COLLAPSED_LOSS * self._prior

    def _recover(self, state: _State, loss: float) -> torch.optim.Optimizer:
        """Goes back to the best weights, or to the base, with a lower rate."""
        state.attempt += 1
        state.steps = 0
        if state.attempt >= self._config.attempts:
            raise TrainingError(
                f"the model learns nothing: it answers 'no entity' everywhere, or its loss is no number, after {state.attempt}"
                f" attempts (last rate {state.rate:.1e}, loss {loss:.3f})",
                hint=self._selection.hint,
            )
        state.rate *= _RATE_AFTER_COLLAPSE
        shown = loss if math.isfinite(loss) else None  # JSON has no NaN
        self._emit("collapse", epoch=state.epoch, loss=shown, prior=self._prior, rate=state.rate, attempt=state.attempt)
        if state.best_weights and state.best_f1 > 0:
            self._model.relearn(state.best_weights)
            state.epoch = state.best_epoch
        else:
            self._model, self._head = self._new_model()
            state.epoch = state.best_epoch = 0
            state.best_f1, state.best_weights = -1.0, {}  # of an attempt that found nothing
        state.history = state.history[: state.epoch]
        # Each attempt warms up anew, over the epochs and the time that are left.
        state.attempt_epoch, state.attempt_seconds = state.epoch, state.seconds
        return make_optimizer(self._model, state.rate, self._config)

    def _record(self, state: _State, loss: float, scores: EntityScores | None) -> None:
        dev = None if scores is None else self._selection.told(scores.micro.to_dict())
        state.history.append({"epoch": state.epoch, "loss": round(loss, 4), "rate": state.rate, "dev": dev, **self._last})
        if scores is not None and self._selection.keeps(scores, state.best_f1):
            state.best_f1, state.best_epoch = scores.micro.f1, state.epoch
            state.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in self._model.learned().items()}

    def _checkpoint(self, state: _State, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        plain = {item.name: getattr(state, item.name) for item in fields(state) if item.name != "best_weights"}
        current = None if state.best_weights and state.best_epoch == state.epoch else self._model.learned()
        return {
            "fingerprint": self._fingerprint,
            "state": plain,
            "best": state.best_weights,
            "current": current,
            "optimizer": optimizer.state_dict(),
        }

    def _dev_scores(self) -> EntityScores:
        return self._processes.ask_main(lambda: self._dev.score(self._model, self._head, self._autocast()))

    def _save(self, folder: TrainingFolder, state: _State, optimizer: torch.optim.Optimizer) -> None:
        if self._processes.main:
            folder.save(self._checkpoint(state, optimizer), self._selection.checkpoint)

    def _restore(self, folder: TrainingFolder, state: _State) -> torch.optim.Optimizer:
        saved = folder.load(self._fingerprint, self._selection.checkpoint)
        self._processes.check_same(None if saved is None else saved["state"], f"the checkpoint in {folder.path}")
        if saved is None:
            if folder.has_other(self._selection.checkpoint):
                self._emit("other", folder=folder.path.name)
            return make_optimizer(self._model, state.rate, self._config)
        for name, value in saved["state"].items():
            setattr(state, name, value)
        state.best_weights = saved["best"]
        self._model.relearn(saved["current"] or saved["best"])
        optimizer = make_optimizer(self._model, state.rate, self._config)
        optimizer.load_state_dict(saved["optimizer"])
        scored = [[entry["epoch"], entry["dev"]["f1"]] for entry in state.history if entry["dev"] is not None]
        best = self._selection.told(state.best_f1)
        self._emit("resume", epoch=state.epoch, steps=state.total, best_f1=best, scored=scored)
        return optimizer

    def _autocast(self) -> AbstractContextManager[object]:
        context: AbstractContextManager[object] = self._accelerator.autocast()
        return context

    def _emit(self, event: str, **fields: Any) -> None:
        if self._processes.main:
            self._observe({"event": event, **fields})
