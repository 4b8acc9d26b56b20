"""What is suggested for a document: the current model's entities and those of the rules, made into one list."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from viner.document import Document, Entity
from viner.rules import Rules
from viner.rules.borders import Borders
from viner.schema import Schema

MOST_SUGGESTIONS = 5000
"""Most suggestions of one document, the first ones in its text: no page can show more. All that were imported stay."""


class Judge(Protocol):
    """What the suggester asks of a recognizer; :class:`viner.runtime.Recognizer` is one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the entity types."""

    def judged(self, items: Iterable[Document]) -> Iterator[tuple[Document, float]]:
        """Recognizes documents in order, each with the uncertainty in [0, 1]."""


class Suggester:
    """Suggests entities with the current model and the rules. Never changes; a new model or schema means a new one.

    What was imported stays, whatever it meets, until a person decides. Where others meet it, or each other, one precedence
    decides: imported ones before the model before dictionaries before patterns; within one of them the longer span before the
    shorter, then the earlier, then the label that the schema has first.

    * The same span and label from several sources is one suggestion: the source of the highest precedence, the best score.
    * The same span with another label, or a span that crosses another, gives way.
    * A span inside of another one stays: entities may be nested.

    What nobody could accept is never suggested: labels that the schema does not have, spans that cut a character, spans that
    begin or end with white space.

    Args:
        schema: The schema of the project as it is now.
        recognizer: The current model, if there is one.
        rules: The rules of the project.
        model: Version of the model, such as "003".
        labels: For each label of the model the label that it has in the schema now, None where it has none; a label that is
            missing here keeps its name.
        evaluation: Whether the model suggests in documents of dev and test as well. People agree with what they are shown
            more often than with each other, so gold that a model proposed flatters that model.

    Attributes:
        labels: The entity labels of the schema, in order.
        who: In whose name it suggests: "model 003", or "rules" where there is no model.
        mark: What a document's suggestions are marked with. It changes with the model, the rules and the labels, and so tells
            whether the suggestions that a document holds are still the ones this would make.
    """

    def __init__(
        self,
        schema: Schema,
        recognizer: Judge | None = None,
        rules: Rules | None = None,
        *,
        model: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        evaluation: bool = True,
    ) -> None:
        self.recognizer = recognizer
        self.model = model if recognizer is not None else None
        self.who = "rules" if recognizer is None else f"model {model}"
        self.labels = schema.entity_labels
        self._rules = rules or Rules()
        self._known = {name: rank for rank, name in enumerate(self.labels)}
        self._labels: dict[str, str] = {}
        for label in recognizer.labels if recognizer is not None else ():
            current = (labels or {}).get(label, label)
            if current in self._known:
                self._labels[label] = current
        described = json.dumps([self._rules.fingerprint, sorted(self._labels.items()), self.labels])
        self.mark = f"{self.who} {hashlib.sha256(described.encode()).hexdigest()[:12]}"
        self._for_evaluation = self if evaluation or recognizer is None else Suggester(schema, None, self._rules)

    def of_split(self, split: str) -> Suggester:
        """What suggests in documents of a split: this one, or in dev and test one that has the rules alone."""
        return self if split == "train" else self._for_evaluation

    @property
    def idle(self) -> bool:
        """Whether there is nothing to suggest with: neither model nor rules."""
        return self.recognizer is None and not self._rules.fingerprint

    def suggest(self, document: Document) -> list[Entity]:
        """Suggests entities for a document, whatever annotations it has.

        Args:
            document: The document. Its own ``suggestions`` are taken over, as those of the highest precedence.

        Returns:
            Entities in the order of the text, each with its ``source``: "model 003", "dictionary" or "pattern".
        """
        return next(self.judged([document]))[0]

    def judged(self, documents: Iterable[Document]) -> Iterator[tuple[list[Entity], float | None]]:
        """For each document what :meth:`suggest` gives, and how unsure the model is of it; None without a model."""
        if self.recognizer is None:
            for document in documents:
                yield self._merged(document, None), None
            return
        waiting: deque[Document] = deque()

        def noted() -> Iterator[Document]:
            for document in documents:
                waiting.append(document)
                yield document

        for answer, uncertainty in self.recognizer.judged(noted()):
            yield self._merged(waiting.popleft(), answer), uncertainty

    def _merged(self, document: Document, answer: Document | None) -> list[Entity]:
        sources: list[Sequence[Entity]] = []
        if answer is not None:
            sources.append(
                [
                    replace(entity, label=self._labels[entity.label], source=self.who, id=None)
                    for entity in answer.entities or ()
                    if entity.label in self._labels
                ]
            )
        sources += self._rules.suggest(document)
        borders = Borders(document.text)
        sources = [borders.whole(entity for entity in source if entity.label in self._known) for source in sources]
        return merge(sources, self._known, imported=document.suggestions or (), most=MOST_SUGGESTIONS)


def merge(
    sources: Sequence[Sequence[Entity]],
    ranks: Mapping[str, int],
    *,
    imported: Sequence[Entity] = (),
    most: int | None = None,
) -> list[Entity]:
    """One list of entities from several, none of which crosses another, or one that was imported.

    Args:
        sources: Lists of entities, the one of the highest precedence first.
        ranks: For each label its rank in the schema.
        imported: Entities that stay in any case, but for those that say the same as another one.
        most: How many there are at most, the first ones in the text, unless more were imported.

    Returns:
        Entities in the order of the text, outer ones first; see :class:`Suggester` for what gives way to what.
    """
    kept: dict[tuple[int, int], list[Entity]] = {}
    by_start: list[tuple[int, int]] = []
    by_end: list[tuple[int, int]] = []

    def keep(entity: Entity) -> None:
        start, end = entity.start, entity.end
        if (start, end) not in kept:
            insort(by_start, (start, end))
            insort(by_end, (end, start))
        kept.setdefault((start, end), []).append(entity)

    for entity in imported:
        if not _joined(kept.get((entity.start, entity.end), []), entity):
            keep(entity)
    stays = frozenset(kept)
    room = math.inf if most is None else most - sum(map(len, kept.values()))
    for source in sources:
        for entity in sorted(source, key=lambda e: (e.start - e.end, e.start, ranks[e.label])):
            there = kept.get((entity.start, entity.end), [])
            if not _joined(there, entity) and not there and not _crosses(entity.start, entity.end, by_start, by_end):
                keep(entity)
    found: list[Entity] = []
    for span in sorted(kept, key=lambda span: (span[0], -span[1])):
        if span not in stays:
            room -= 1
        if span in stays or room >= 0:
            found += kept[span]
    return found


def _joined(there: list[Entity], entity: Entity) -> bool:
    """Whether one of the entities of a span has the label; it gets the better of both scores then."""
    for index, other in enumerate(there):
        if other.label == entity.label:
            if entity.score is not None:
                there[index] = replace(other, score=max(entity.score, other.score or 0.0))
            return True
    return False


def _crosses(start: int, end: int, by_start: list[tuple[int, int]], by_end: list[tuple[int, int]]) -> bool:
    """Whether a span crosses one of those that are kept, given as (start, end) and as (end, start)."""
    inside = range(bisect_left(by_start, (start + 1, 0)), bisect_left(by_start, (end, 0)))
    if any(by_start[index][1] > end for index in inside):
        return True
    inside = range(bisect_right(by_end, (start, end)), bisect_left(by_end, (end, 0)))
    return any(by_end[index][1] < start for index in inside)
