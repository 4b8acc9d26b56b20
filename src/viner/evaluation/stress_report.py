"""What perturbations cost a recognizer, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from viner.evaluation.markdown import markdown_table
from viner.evaluation.messages import ENGLISH
from viner.evaluation.report import Evaluation
from viner.languages import Say
from viner.metrics import EntityScores


@dataclass(frozen=True, slots=True)
class Stress:
    """How a recognizer did under one perturbation.

    Args:
        name: Of the perturbation.
        title: What it does, in a few words.
        changed: Documents that it changed.
        documents: Documents that it made.
        scores: Strict entity scores.
        truncated_entities: As in :class:`viner.evaluation.Evaluation`.
        cut_entities: As in :class:`viner.evaluation.Evaluation`.
    """

    name: str
    title: str
    changed: int
    documents: int
    scores: EntityScores
    truncated_entities: int
    cut_entities: int


@dataclass(frozen=True, slots=True)
class StressReport:
    """How a recognizer did on documents as they are, and on each perturbation of them.

    Args:
        clean: The figures of the documents as they are.
        outcomes: Those of the perturbations.
    """

    clean: Evaluation
    outcomes: tuple[Stress, ...]

    def lost(self, outcome: Stress) -> float:
        """Points of strict micro F1, in hundredths, that a perturbation costs; negative where it helps."""
        return 100 * (self.clean.scores.micro.f1 - outcome.scores.micro.f1)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the clean evaluation, and under ``"stress"`` a list with the scores under each perturbation.

        Each of them has ``"name"``, ``"points_lost"`` and ``"changed_documents"`` as well.
        """
        stress = [
            {
                "name": outcome.name,
                "points_lost": self.lost(outcome),
                "changed_documents": outcome.changed,
                "documents": outcome.documents,
                "truncated_entities": outcome.truncated_entities,
                "cut_entities": outcome.cut_entities,
                **outcome.scores.to_dict(),
            }
            for outcome in self.outcomes
        ]
        return {**self.clean.to_dict(), "stress": stress}

    def to_markdown(self) -> str:
        """A table with one row a perturbation, the documents as they are first, then what a reader must know to trust it."""
        head = ("perturbation", "what it does", "F1", "points lost", "entities", "documents changed")
        rows = [("**none**", "", f"{self.clean.scores.micro.f1:.4f}", "", f"{self.clean.scores.micro.support:,}", "")]
        for outcome in self.outcomes:
            micro = outcome.scores.micro
            lost = f"{self.lost(outcome):.1f}" if outcome.changed else "–"
            share = f"{outcome.changed:,} of {outcome.documents:,}"
            rows.append((outcome.name, outcome.title, f"{micro.f1:.4f}", lost, f"{micro.support:,}", share))
        remarks = [line for remark in self.remarks() for line in ("", remark)]
        return markdown_table(head, rows, names=2) + "\n" + "\n".join([_READING, *remarks]) + "\n"

    def remarks(self, say: Say = ENGLISH) -> list[str]:
        """What a reader must know to trust the figures, in sentences."""
        remarks = []
        untouched = [outcome.name for outcome in self.outcomes if not outcome.changed]
        if untouched:
            remarks.append(say("err_stress_untouched", names=", ".join(untouched)))
        for outcome in self.outcomes:
            cut = outcome.cut_entities - self.clean.cut_entities
            if cut > 0:
                remarks.append(say("err_stress_cut", name=outcome.name, count=say.number(cut)))
        return remarks


_READING = "Strict micro F1; a point is a hundredth of it."
