"""The result of an evaluation, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from viner.evaluation.documents import DocumentScores
from viner.evaluation.markdown import shorten
from viner.metrics import EntityScores, Interval, Mode, ModeScores, Scores


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a recognizer did on a set of annotated documents.

    Args:
        scores: Strict entity scores.
        documents: Number of documents scored.
        unannotated: Number of documents left out, since their entities are not annotated.
        truncated_entities: Gold entities with a word that no window answered, or behind the last word. Windows tile a whole
            document, so this is 0; any other number is a defect of the recognizer, or of words that a file brings along.
        cut_entities: Gold entities with a border that is none of a word, inside of one or outside of all: none can be found.
        unknown_labels: Gold labels that the recognizer does not know, with the number of their entities.
        interval: Where micro F1 would lie for other documents of the kind. Models of viner 0.1 lack it, and what follows.
        modes: Scores that forgive other borders, or another type (:func:`viner.metrics.score_modes`).
        lengths: Strict scores by number of words: "1" to "4" and "5+", of the lengths that occur.
        surfaces: Strict scores of entities that the training has "seen", seen with another label ("other_label"), or not
            ("unseen"); empty where nobody said what it has seen.
        by_document: How each document did. It is no part of the JSON form, nor of a model folder.
        modes_by_label: As ``modes``, among the entities of one label; models of before lack it.
        overlapping_entities: Gold entities more than an answer in which none overlaps another can hold: nested, crossing, and
            annotated twice.
    """

    scores: EntityScores
    documents: int
    unannotated: int
    truncated_entities: int
    cut_entities: int
    unknown_labels: dict[str, int]
    interval: Interval | None = None
    modes: Mapping[Mode, ModeScores] = field(default_factory=dict)
    lengths: Mapping[str, Scores] = field(default_factory=dict)
    surfaces: Mapping[str, Scores] = field(default_factory=dict)
    by_document: DocumentScores | None = field(default=None, compare=False, repr=False)
    modes_by_label: Mapping[str, Mapping[Mode, ModeScores]] = field(default_factory=dict)
    overlapping_entities: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"micro", "macro", "labels": {label: …}, "interval", "modes", "truncated_entities", …}``."""
        return {
            **self.scores.to_dict(),
            "documents": self.documents,
            "unannotated_documents": self.unannotated,
            "truncated_entities": self.truncated_entities,
            "cut_entities": self.cut_entities,
            "overlapping_entities": self.overlapping_entities,
            "unknown_labels": dict(self.unknown_labels),
            "interval": None if self.interval is None else self.interval.to_dict(),
            "modes": {mode: scores.to_dict() for mode, scores in self.modes.items()},
            "modes_by_label": {
                label: {mode: scores.to_dict() for mode, scores in modes.items()}
                for label, modes in self.modes_by_label.items()
            },
            "lengths": {group: scores.to_dict() for group, scores in self.lengths.items()},
            "surfaces": {group: scores.to_dict() for group, scores in self.surfaces.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evaluation:
        """Reads the JSON form, that of viner 0.1 as well, which ends with the unknown labels.

        Raises:
            KeyError: If a field is missing.
        """
        interval = data.get("interval")
        return cls(
            EntityScores.from_dict(data),
            data["documents"],
            data["unannotated_documents"],
            data["truncated_entities"],
            data["cut_entities"],
            dict(data["unknown_labels"]),
            None if interval is None else Interval(**interval),
            {mode: ModeScores.from_dict(scores) for mode, scores in data.get("modes", {}).items()},
            {group: Scores.from_dict(scores) for group, scores in data.get("lengths", {}).items()},
            {group: Scores.from_dict(scores) for group, scores in data.get("surfaces", {}).items()},
            modes_by_label={
                label: {mode: ModeScores.from_dict(scores) for mode, scores in modes.items()}
                for label, modes in data.get("modes_by_label", {}).items()
            },
            overlapping_entities=data.get("overlapping_entities", 0),
        )

    def to_markdown(self, label: Callable[[str], str] = str) -> str:
        """A table with one row a label, then micro and macro, then whatever a reader must know to trust it.

        Args:
            label: How a label is written. As it is, it is good to read on a terminal; what shows Markdown needs it escaped.
        """
        labels = [(label(shorten(name)), scores) for name, scores in self.scores.labels.items()]
        table = scores_table("type", [*labels, ("**micro**", self.scores.micro), ("**macro**", self.scores.macro)])
        lines = [
            f"Strict: start, end and type must be right. {self.documents:,} documents; "
            f"{self.truncated_entities} entities lost to truncation.",
            *self._remarks(label),
        ]
        return f"{table}\n" + "\n".join(lines) + "\n"

    def _remarks(self, label: Callable[[str], str]) -> list[str]:
        remarks = []
        if self.interval is not None:
            low, high, level = self.interval
            remarks.append(f"Micro F1, {level * 100:g} % interval: {low:.4f} to {high:.4f} (bootstrap over documents).")
        if self.unannotated:
            remarks.append(f"{self.unannotated:,} documents without annotation were left out.")
        if self.cut_entities:
            remarks.append(
                f"{self.cut_entities:,} gold entities cut a word or lie outside of all, and cannot be found;"
                " `viner lint` lists them."
            )
        if self.overlapping_entities:
            remarks.append(
                f"{self.overlapping_entities:,} gold entities overlap others or are annotated twice, and no answer without"
                " overlaps has them all; `viner lint` lists them."
            )
        for name, scores in self.scores.labels.items():
            if not scores.support:
                remarks.append(f"No {label(shorten(name))} is annotated: there is no F1 of it, and it counts as 0 in macro.")
        for name, count in self.unknown_labels.items():
            entities = "1 gold entity" if count == 1 else f"{count:,} gold entities"
            remarks.append(f"{label(shorten(name))}, the type of {entities}, is none of those that are answered with.")
        return [line for remark in remarks for line in ("", remark)]


def scores_table(head: str, rows: Sequence[tuple[str, Scores]]) -> str:
    """A Markdown table of scores with their counts, one row a name.

    Args:
        head: What the names are.
        rows: Names, as they are written in Markdown, and scores. Recall and F1 of what is not annotated at all are told as "–".
    """
    width = max(len(head), *(len(name) for name, _ in rows))
    return "\n".join(
        [
            f"| {head:<{width}} | precision | recall |     F1 |   gold | predicted | correct |",
            f"|{'-' * (width + 2)}|----------:|-------:|-------:|-------:|----------:|--------:|",
            *(_row(name, scores, width) for name, scores in rows),
            "",
        ]
    )


def _row(name: str, scores: Scores, width: int) -> str:
    # What has no entity cannot be found, and one figure of nothing is as wrong as another.
    recall, f1 = (f"{figure:.4f}" if scores.support else "–" for figure in (scores.recall, scores.f1))
    return (
        f"| {name:<{width}} | {scores.precision:>9.4f} | {recall:>6} | {f1:>6} "
        f"| {scores.support:>6} | {scores.predicted:>9} | {scores.correct:>7} |"
    )
