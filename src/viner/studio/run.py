"""A run: one training of a project, as its folder ``runs/NNN`` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from viner.studio.notes import Note

State = Literal["starting", "running", "stopping", "stopped", "failed", "finished"]
ACTIVE: tuple[State, ...] = ("starting", "running", "stopping")
RESUMABLE: tuple[State, ...] = ("stopped", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What ``run.json`` says, beside how far the training has come.

    Args:
        name: Name of the run, such as "003". The model that it makes has the same name.
        state: "starting", "running", "stopping" (asked to stop), "stopped", "failed" (see
            ``error``) or "finished".
        created: When it was started, seconds since 1970.
        begun: When it was started or resumed last, seconds since 1970.
        ended: When it stopped, failed or finished, seconds since 1970.
        pid: Process that trains, while the state is "starting" or "running".
        automatic: Whether it started by itself, after so many newly done documents.
        options: Choices of the training.
        counts: What its snapshot holds: ``{"documents": {split: {"done", "started"}}, "entities": {split: n},
            "left_out": [str]}``, and "texts" where it learns from some that nobody began.
        fingerprint: SHA-256 of its snapshot.
        model: Name of the finished model.
        dev_f1: Micro F1 of the finished model on the snapshot's dev documents.
        error: Why it failed: code, message, where, hint.
        outcome: What became of the finished model: ``{"activated": bool, "code", "values", "message": str, "f1", "former",
            "former_f1", "documents"}``; None where it was not decided yet.
        notes: What a person should know, such as that it began anew after a document was erased.
        progress: How much is done, in [0, 1].
        seconds_left: Time that the rest will take, in seconds; None when nothing can be said yet.
        stage: What it does now, such as "Training" or "Evaluating"; None before it says so.
        epoch: Epoch that it is in, from 1.
        epochs: Epochs at most.
        loss: Loss of the last step.
        best_f1: Best dev F1 so far.
    """

    name: str
    state: State
    created: float
    begun: float | None = None
    ended: float | None = None
    pid: int | None = None
    automatic: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
    model: str | None = None
    dev_f1: float | None = None
    error: Mapping[str, str | None] | None = None
    outcome: Mapping[str, Any] | None = None
    notes: tuple[Note, ...] = ()
    progress: float = 0.0
    seconds_left: float | None = None
    stage: str | None = None
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    best_f1: float | None = None

    @property
    def active(self) -> bool:
        """Whether it is at work."""
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        """Whether it can go on."""
        return self.state in RESUMABLE

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: all fields, notes as sentences, and "active", "resumable" and "note", the last of them."""
        return {
            "name": self.name,
            "state": self.state,
            "active": self.active,
            "resumable": self.resumable,
            "created": self.created,
            "begun": self.begun,
            "ended": self.ended,
            "pid": self.pid,
            "automatic": self.automatic,
            "options": dict(self.options),
            "counts": dict(self.counts),
            "fingerprint": self.fingerprint,
            "model": self.model,
            "dev_f1": self.dev_f1,
            "error": None if self.error is None else dict(self.error),
            "outcome": None if self.outcome is None else dict(self.outcome),
            "notes": [note.message for note in self.notes],
            "note": self.notes[-1].message if self.notes else None,
            "progress": round(self.progress, 4),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "stage": self.stage,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "loss": self.loss,
            "best_f1": self.best_f1,
        }
