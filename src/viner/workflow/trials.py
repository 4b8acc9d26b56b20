"""What a search tried and what came out: the table, the best choices, what mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from viner.evaluation.markdown import markdown_table
from viner.workflow.choices import choices_toml

State = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of a search.

    Args:
        number: From 1, in the order in which they were made.
        state: Whether it went to its end, was given up since it lay behind the others, or failed.
        choices: What was drawn.
        dev_f1: Strict micro F1 on dev of its best epoch, in [0, 1]; None where it failed.
        epochs: How many epochs it had.
        seconds: How long it took.
        problem: Why it failed.
    """

    number: int
    state: State
    choices: Mapping[str, Any]
    dev_f1: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the fields by name."""
        return {
            "number": self.number,
            "state": self.state,
            "dev_f1": self.dev_f1,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "choices": dict(self.choices),
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class Search:
    """What a search has found so far.

    Args:
        trials: What was tried.
        planned: How many trials there are to be.
        space: What each choice is drawn from, as people write it.
        fixed: Choices that all trials share, the seed among them.
        documents: Documents that were learned from, and those that were scored.
        importance: Share of each choice in what sets good trials apart; empty where there are too few trials to say.
    """

    trials: Sequence[Trial]
    planned: int
    space: Mapping[str, str]
    fixed: Mapping[str, Any]
    documents: tuple[int, int]
    importance: Mapping[str, float] = field(default_factory=dict)

    @property
    def best(self) -> Trial | None:
        """The trial with the highest F1 of those that went to their end, the first of equal ones."""
        complete = [trial for trial in self.trials if trial.state == "complete"]
        return max(complete, key=lambda trial: trial.dev_f1 or 0.0, default=None)

    @property
    def choices(self) -> dict[str, Any]:
        """All choices of the best trial that are not left to viner; empty without one."""
        return {} if self.best is None else {**self.fixed, **self.best.choices}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "trials": [trial.to_dict() for trial in self.trials],
            "planned": self.planned,
            "space": dict(self.space),
            "documents": {"train": self.documents[0], "dev": self.documents[1]},
            "best": None if self.best is None else {**self.best.to_dict(), "choices": self.choices},
            "importance": dict(self.importance),
        }

    def to_toml(self) -> str:
        """The best choices as a file for ``viner train --choices``."""
        assert self.best is not None
        comment = (
            f"Trial {self.best.number} of a search with {len(self.trials)}: dev F1 {self.best.dev_f1:.4f}\n"
            f"({self.documents[0]:,} documents learned from, {self.documents[1]:,} scored).\n"
            "viner train --choices FILE takes them; options on the command line go before them."
        )
        return choices_toml(self.choices, comment)

    def to_markdown(self) -> str:
        """A table of the trials, the best first, and what must be known to read it."""
        order = sorted(self.trials, key=lambda trial: (trial.state != "complete", -(trial.dev_f1 or 0.0), trial.number))
        names = list(order[0].choices) if order else []
        rows = [
            (
                f"{trial.number}",
                trial.state,
                "–" if trial.dev_f1 is None else f"{trial.dev_f1:.4f}",
                f"{trial.epochs}",
                f"{trial.seconds:.0f}",
                *(shown(trial.choices[name]) for name in names),
            )
            for trial in order
        ]
        parts = [markdown_table(("trial", "state", "dev F1", "epochs", "seconds", *names), rows, names=2)]
        failed = [trial for trial in order if trial.problem]
        parts += [f"Trial {trial.number} failed: {trial.problem}\n" for trial in failed]
        if self.importance:
            told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in self.importance.items())
            parts.append(f"What sets good trials apart (PED-ANOVA): {told}.\n")
        if self.best is not None and len(self.trials) > 1:
            parts.append(
                f"The best of {len(self.trials)} trials was chosen on dev and looks better there than it is: other seeds and a"
                " test set tell (viner compare).\n"
            )
        return "\n".join(parts)


def shown(value: Any) -> str:
    """A choice for people."""
    if value is None:
        return "default"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def told(choices: Mapping[str, Any]) -> str:
    """Choices on a line."""
    return ", ".join(f"{name} {shown(value)}" for name, value in choices.items())
