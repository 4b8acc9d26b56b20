"""What an evaluation counts: strict scores, other modes, and scores by length, by novelty and by document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from viner.document import Document, Entity
from viner.errors import InputError
from viner.evaluation.documents import DocumentScores
from viner.metrics import EntityTally, Mode, ModeScores, Scores, SeenSurfaces, score_modes
from viner.metrics.groups import LENGTHS, NOVELTIES, length_group
from viner.metrics.modes import MODES
from viner.text import words_touched


class Breakdowns:
    """Counts document by document.

    Args:
        seen: What the model learned from; None leaves scores by novelty out.
    """

    def __init__(self, seen: SeenSurfaces | None = None) -> None:
        self.strict = EntityTally()
        self.modes: dict[Mode, ModeScores] = dict.fromkeys(MODES, ModeScores())
        self.modes_by_label: dict[str, dict[Mode, ModeScores]] = {}
        """The same of each label, among whose entities the other labels' play no part."""
        self.documents = DocumentScores()
        self._seen = seen
        self._lengths = EntityTally()
        self._novelties = EntityTally()

    def observe(self, gold: Document, predicted: Document) -> None:
        """Takes one document as it is annotated and as it was answered."""
        right, found = gold.entities or (), predicted.entities or ()
        spans = [[entity.labeled_span for entity in entities] for entities in (right, found)]
        for mode, scores in score_modes(*spans).items():
            self.modes[mode] += scores
        for label in {label for side in spans for *_, label in side}:
            scored = self.modes_by_label.setdefault(label, dict.fromkeys(MODES, ModeScores()))
            for mode, scores in score_modes(*([span for span in side if span[2] == label] for side in spans)).items():
                scored[mode] += scores
        self.documents.add(gold.id, len(right), len(found), self.strict.add(*spans))
        words = predicted.words or ()
        starts, ends = [start for start, _ in words], [end for _, end in words]

        def length(entity: Entity) -> str:
            return length_group(len(words_touched(starts, ends, (entity.start, entity.end))))

        # A tally counts by the last item of what it is given, so an entity with its group behind it is counted by group.
        self._lengths.add(*([(e.label, e.start, e.end, length(e)) for e in entities] for entities in (right, found)))
        if self._seen is not None:
            seen = self._seen
            self._novelties.add(
                *(
                    [(e.label, e.start, e.end, seen.group(e.text or "", e.label)) for e in entities]
                    for entities in (right, found)
                )
            )

    def lengths(self) -> dict[str, Scores]:
        """Strict scores by number of words, of the lengths that occur."""
        return _in_order(self._lengths, LENGTHS)

    def surfaces(self) -> dict[str, Scores]:
        """Strict scores by novelty; empty where nobody said what was seen."""
        return _in_order(self._novelties, NOVELTIES)


def seen_surfaces(documents: Iterable[Document], *, where: str | Path | None = None) -> SeenSurfaces:
    """What a model has learned from, for scores by novelty.

    Args:
        documents: The training documents; they are read once and not kept.
        where: The file that they come from, for messages.

    Raises:
        InputError: If they have no entity.
    """
    seen = SeenSurfaces()
    for document in documents:
        for entity in document.entities or ():
            seen.add(entity.text or "", entity.label)
    if not len(seen):
        raise InputError(
            "no annotated entity in this file",
            where=where,
            hint="--train names the file that the model was trained on: CoNLL, JSONL with 'entities', or inline markup",
        )
    return seen


def _in_order(tally: EntityTally, groups: Sequence[str]) -> dict[str, Scores]:
    found = tally.scores().labels
    return {group: found[group] for group in groups if group in found}
