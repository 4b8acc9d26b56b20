"""The result of an evaluation, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from viner.metrics import EntityScores, Scores


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a recognizer did on a set of annotated documents.

    Args:
        scores: Strict entity scores.
        documents: Number of documents scored.
        unannotated: Number of documents left out, since their entities are not annotated.
        truncated_entities: Gold entities with a word that no window answered, or behind the last word. Windows tile a whole
            document, so this is 0; any other number is a defect of the recognizer, or of words that a file brings along.
        cut_entities: Gold entities with a border inside a word of the recognizer, which it can therefore never find.
        unknown_labels: Gold labels that the recognizer does not know, with the number of their entities.
    """

    scores: EntityScores
    documents: int
    unannotated: int
    truncated_entities: int
    cut_entities: int
    unknown_labels: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"micro", "macro", "labels": {label: …}, "truncated_entities", "cut_entities", …}``."""
        return {
            **self.scores.to_dict(),
            "documents": self.documents,
            "unannotated_documents": self.unannotated,
            "truncated_entities": self.truncated_entities,
            "cut_entities": self.cut_entities,
            "unknown_labels": dict(self.unknown_labels),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evaluation:
        """Reads the JSON form.

        Raises:
            KeyError: If a field is missing.
        """
        return cls(
            EntityScores.from_dict(data),
            data["documents"],
            data["unannotated_documents"],
            data["truncated_entities"],
            data["cut_entities"],
            dict(data["unknown_labels"]),
        )

    def to_markdown(self, label: Callable[[str], str] = str) -> str:
        """A table with one row a label, then micro and macro, then whatever a reader must know to trust it.

        Args:
            label: How a label is written. As it is, it is good to read on a terminal; what shows Markdown needs it escaped.
        """
        labels = [(label(name), scores) for name, scores in self.scores.labels.items()]
        rows = [*labels, ("**micro**", self.scores.micro), ("**macro**", self.scores.macro)]
        width = max(len("type"), *(len(name) for name, _ in rows))
        lines = [
            f"| {'type':<{width}} | precision | recall |     F1 |   gold | predicted | correct |",
            f"|{'-' * (width + 2)}|----------:|-------:|-------:|-------:|----------:|--------:|",
            *(_row(name, scores, width) for name, scores in rows),
            "",
            f"Strict: start, end and type must be right. {self.documents:,} documents; "
            f"{self.truncated_entities} entities lost to truncation.",
            *self._remarks(label),
        ]
        return "\n".join(lines) + "\n"

    def _remarks(self, label: Callable[[str], str]) -> list[str]:
        remarks = []
        if self.unannotated:
            remarks.append(f"{self.unannotated:,} documents without annotation were left out.")
        if self.cut_entities:
            remarks.append(f"{self.cut_entities:,} gold entities cut a word and cannot be found; `viner lint` lists them.")
        for name, count in self.unknown_labels.items():
            remarks.append(f"The model does not know the type {label(name)} ({count:,} entities).")
        return [line for remark in remarks for line in ("", remark)]


def _row(name: str, scores: Scores, width: int) -> str:
    return (
        f"| {name:<{width}} | {scores.precision:>9.4f} | {scores.recall:>6.4f} | {scores.f1:>6.4f} "
        f"| {scores.support:>6} | {scores.predicted:>9} | {scores.correct:>7} |"
    )
