"""What a writer did, and what its format could not say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from viner.answer_meta import REVIEWED
from viner.document import Document, Entity

UNANNOTATED = "the format cannot say that nobody annotated a document: it will count as one without entities"
PARTIAL = "the format cannot say what nobody looked at: it will count as having no entities there (JSONL, Parquet and CSV can)"
LISTED = 100
"""How many losses a report lists one by one; it counts all of them."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that a format could not say: in which document, what, and why."""

    document: str | None
    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.document or 'document without id'}: {self.what}: {self.reason}"


@dataclass(slots=True)
class WriteReport:
    """Counts of a writing.

    Args:
        documents: Documents written.
        entities: Entities written.
        lost: For each reason, how often something was left out.
        losses: The first :data:`LISTED` of them.
    """

    documents: int = 0
    entities: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    losses: list[Loss] = field(default_factory=list)

    def lose(self, document: Document, what: str, reason: str) -> None:
        """Counts one loss, and lists it while there is room."""
        self.lost[reason] += 1
        if len(self.losses) < LISTED:
            self.losses.append(Loss(document.id, what, reason))

    def lose_state(self, document: Document) -> None:
        """Counts a document that is not annotated, or in part only, where a format takes every document for annotated."""
        if document.entities is None:
            self.lose(document, "what is open", UNANNOTATED)
        elif REVIEWED in document.meta:
            self.lose(document, "what is open", PARTIAL)

    def lose_entity(self, document: Document, entity: Entity, reason: str) -> None:
        """Counts an entity that was left out."""
        self.lose(document, f"{entity.label} [{entity.start}, {entity.end}] {_shorten(entity.text or '')}", reason)

    def lose_layers(self, document: Document, *layers: str) -> None:
        """Counts those of the named fields that the document has and the format has no place for."""
        for layer in layers:
            if getattr(document, layer):
                self.lose(document, layer, f"the format has no place for {layer}")

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"documents", "entities", "lost": {reason: n}}``."""
        return {"documents": self.documents, "entities": self.entities, "lost": dict(self.lost)}

    def __str__(self) -> str:
        lines = [f"{self.documents:,} documents, {self.entities:,} entities written"]
        lines += [f"  left out {count:,} ×: {reason}" for reason, count in self.lost.most_common()]
        return "\n".join(lines)


def _shorten(surface: str, length: int = 40) -> str:
    return repr(surface if len(surface) <= length else surface[: length - 1] + "…")
