"""What a person sees of a training, and what its log keeps."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from viner.errors import TrainingError

_GOING_ON = ("resume", "adapt_resume")
"""Events with which a training goes on that was interrupted: its log is not begun anew."""


class Report:
    """Progress for people: a bar on a terminal, a line an epoch elsewhere.

    Args:
        stream: Where it goes; None means stderr.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bar: Any = None
        self.title: str | None = None
        """Stands before the bar, where there are several trainings."""

    def line(self, text: str) -> None:
        """Writes a line above the bar, if there is one."""
        if self._bar is not None:
            self._bar.write(text, file=self._stream)
        else:
            print(text, file=self._stream, flush=True)

    def stage(self, name: str) -> None:
        """Says what begins now."""
        self.line(f"{name} …")

    def step(self, event: dict[str, Any]) -> None:
        """Moves the bar."""
        done = (event["epoch"] - 1) * event["steps"] + event["step"]
        self._move(
            self.title, done, event["epochs"] * event["steps"], f"epoch {event['epoch']}, loss {event['loss']:.3f}", event
        )

    def adapt_step(self, event: dict[str, Any]) -> None:
        """Moves the bar of an adaptation: one for a new head that learns alone, then one for the encoder."""
        if self._bar is not None and self._bar.desc != f"{event['part']}: ":
            self.close()
        told = f"loss {event['loss']:.3f}, rate {event['rate']:.1e}"
        self._move(event["part"], event["step"], event["steps"], told, event, begun=True)

    def _move(
        self, title: str | None, done: int, total: int, told: str, event: Mapping[str, Any], *, begun: bool = False
    ) -> None:
        """Moves the bar, a new one if there is none; nothing where nobody looks at a terminal.

        Args:
            title: Stands before a new bar.
            done: Steps.
            total: All steps, as far as is known now.
            told: What is said behind it, before the speed.
            event: With pieces and seconds.
            begun: Whether a new bar counts its speed from here, since what is done was not done by this process.
        """
        if not self._stream.isatty():
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                desc=title,
                total=total,
                unit=" steps",
                dynamic_ncols=True,
                file=self._stream,
                initial=done if begun else 0,
            )
        self._bar.total, self._bar.n = total, done
        speed = event["pieces"] / max(event["seconds"], 1e-9)
        self._bar.set_postfix_str(f"{told}, {speed:,.0f} pieces/s", refresh=False)
        self._bar.refresh()

    def log(self, event: dict[str, Any]) -> None:
        """Takes what a log keeps of the trainer's events; for reports that keep one."""

    def close(self, *, keep: bool = True) -> None:
        """Ends the bar.

        Args:
            keep: Leave it as it stands; else it is wiped off.
        """
        if self._bar is not None:
            self._bar.leave = keep
            self._bar.close()
            self._bar = None

    def event(self, event: dict[str, Any]) -> None:
        """Shows an event of the trainer."""
        kind = event["event"]
        if kind == "step":
            self.step(event)
        elif kind == "adapt_step":
            self.adapt_step(event)
        elif kind.startswith("adapt_"):
            self._adaptation(kind, event)
        elif kind == "start":
            self.line(
                f"Training on {event['documents']:,} documents ({event['pieces']:,} pieces), at most {event['epochs']} epochs, "
                f"{event['precision']} on {event['device']}, rate {event['rate']:.1e}"
            )
            if event["processes"] > 1:
                self.line(f"  in {event['processes']} processes")
            if event["adversarial"]:
                self.line("  every step is done twice, the second time where the loss grows fastest (adversarial)")
            if event["learning"] < event["weights"]:
                self.line(f"  {event['learning']:,} of {event['weights']:,} weights learn (LoRA)")
            for reason, count in event["lost"].items():
                self.line(f"  {count:,} entities: {reason} (see: viner lint)")
        elif kind == "listen":
            self.line("Every document is read by the teacher once …")
        elif kind == "teacher":
            count, f1 = event.get("models"), f"dev F1 {event['dev_f1']:.4f}"
            if count is not None:
                self.line(f"Teacher: {f1}" if count == 1 else f"{count} teachers, whose mean answer has {f1}")
            else:
                kept = ", ".join(map(str, event["kept"]))
                self.line(f"Teacher: {event['layers']} layers, {f1}; the student has {len(event['kept'])} of them ({kept})")
        elif kind == "epoch":
            self.line(
                f"epoch {event['epoch']}: loss {event['loss']:.3f}, {_scores(event['dev'])}{event['seconds']:.0f} s, "
                f"{event['pieces_per_second']:,.0f} pieces/s{', best so far' if event['best'] else ''}"
            )
        elif kind == "collapse":
            loss = event["loss"]
            problem = "the loss is no number" if loss is None else f"the model answers 'no entity' everywhere (loss {loss:.3f})"
            self.line(f"epoch {event['epoch']}: {problem}; starting again with a rate of {event['rate']:.1e}")
        elif kind == "resume":
            best = "" if event["best_f1"] is None else f" (best dev F1 so far {event['best_f1']:.4f})"
            self.line(f"Going on after epoch {event['epoch']}{best}")
        elif kind == "other":
            self.line(
                f"Warning: {event['folder']} holds an interrupted training of other data or choices; this one begins anew, and"
                " that one is kept until it is done"
            )
        elif kind == "end" and event["dev_f1"] is None:
            self.close()
            self.line(f"Learned dev as well: {event['best_epoch']} epochs, {event['seconds']:.0f} s")
        elif kind == "end":
            self.close()
            if not event["dev_f1"]:
                self.line("Warning: the model finds none of the dev entities; train longer, or on more examples")
            teacher = f" (teacher {event['teacher_f1']:.4f})" if "teacher_f1" in event else ""
            self.line(f"Best epoch: {event['best_epoch']}, dev F1 {event['dev_f1']:.4f}{teacher}, {event['seconds']:.0f} s")

    def _adaptation(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "adapt_start":
            limit = "" if event["minutes"] is None else f" or {event['minutes']:g} minutes"
            self.line(
                f"Adapting the base to {event['passages']:,} passages ({event['pieces']:,} pieces), {event['held_out']:,}"
                f" held out, at most {event['epochs']} epochs{limit}, {event['precision']} on {event['device']}, rate"
                f" {event['rate']:.1e}"
            )
            if event["new_head"]:
                self.line("The base has no language-modeling head: a new one learns first, alone")
        elif kind == "adapt_resume":
            self.line(f"Going on with the adaptation at {event['share']:.0%} (best held-out loss so far {event['loss']:.3f})")
        elif kind == "adapt_found":
            before, after = event["before"]["loss"], event["after"]["loss"]
            self.line(f"The base is adapted already: held-out loss {before:.3f} before, {after:.3f} after")
        elif kind == "adapt_round":
            self.line(_round(event))
        elif kind == "adapt_end":
            self.close()
            before, after = event["before"], event["after"]
            if event["kept"]:
                guessed = f"{before['accuracy']:.1%} and {after['accuracy']:.1%} of the hidden pieces guessed"
                took = f"{event['epochs']:g} epochs, {event['seconds']:.0f} s"
                self.line(f"Adapted in {took}: held-out loss {before['loss']:.3f} before, {after['loss']:.3f} after; {guessed}")
            else:
                self.line(
                    f"Warning: the base guesses held-out texts no better than before (loss {before['loss']:.3f}), and is left"
                    " as it was; try more or other texts, or a lower --adapt-learning-rate"
                )


def _scores(dev: Mapping[str, Any] | None) -> str:
    """Dev scores of an epoch within a line; nothing where it was not scored."""
    if dev is None:
        return ""
    return f"dev F1 {dev['f1']:.4f} (precision {dev['precision']:.4f}, recall {dev['recall']:.4f}), "


def _round(event: Mapping[str, Any]) -> str:
    """A line on a round of an adaptation."""
    if event["loss"] is None:
        return "adapting: the loss is no number; what was best so far is kept"
    found = f"held-out loss {event['loss']:.3f}, {event['accuracy']:.1%} of the hidden pieces guessed"
    if not event["round"]:
        return f"before adapting: {found}"
    left = "" if event["seconds_left"] is None else f", about {duration(event['seconds_left'])} left"
    best = ", best so far" if event["best"] else ""
    speed = f"rate {event['rate']:.1e}, {event['pieces_per_second']:,.0f} pieces/s"
    return f"adapting {event['share']:.0%}: {found}, {speed}{left}{best}"


class TrainingLog:
    """Writes every event, of the steps one a second and the last of each epoch, to a JSONL file, and passes all on to a report.

    Args:
        path: The file. A resumed training appends to it, another one begins it anew.
        report: For people; it keeps a log of its own if it likes (:meth:`Report.log`).
        also: Called with each event that the file keeps.

    Attributes:
        prologue: A log of what came before, which one that begins anew begins with; None for nothing.
    """

    def __init__(self, path: Path, report: Report, also: Callable[[dict[str, Any]], None] = lambda event: None) -> None:
        self.prologue: Path | None = None
        self._path = path
        self._report = report
        self._also = also
        self._begun = False
        self._last_step = -math.inf

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._report.close()

    def __call__(self, event: dict[str, Any]) -> None:
        """Takes an event of the trainer.

        Raises:
            TrainingError: If the log cannot be written.
        """
        if self._keeps(event):
            anew = not self._begun and event["event"] not in _GOING_ON
            if anew and self.prologue is not None:
                _copy(self.prologue, self._path)
            write_event(self._path, event, anew=anew and self.prologue is None)
            self._begun = True
            self._report.log(event)
            self._also(event)
        self._report.event(event)

    def _keeps(self, event: dict[str, Any]) -> bool:
        if event["event"] == "adapt_found":  # how it came about is in the prologue
            return False
        if event["event"] not in ("step", "adapt_step"):
            return True
        now = time.monotonic()
        if event["step"] != event["steps"] and now - self._last_step < 1:
            return False
        self._last_step = now
        return True


def _copy(source: Path, target: Path) -> None:
    try:
        target.write_bytes(source.read_bytes())
    except OSError as error:
        raise _unwritable(target, error) from error


def write_event(path: Path, event: Mapping[str, Any], *, anew: bool = False) -> None:
    """Appends an event, with the time, to a JSONL file.

    Args:
        path: The file.
        event: The event.
        anew: Whether what the file holds goes first.

    Raises:
        TrainingError: If it cannot be written.
    """
    line = json.dumps({"time": round(time.time(), 1), **event}, ensure_ascii=False) + "\n"
    try:
        with path.open("w" if anew else "a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> TrainingError:
    return TrainingError(
        f"the log cannot be written ({error.strerror or error})",
        where=path,
        hint="Free disk space, then resume the training (on the command line: the same command again)",
    )


def duration(seconds: float) -> str:
    """A time for people."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{seconds / 3600:.1f} h"
