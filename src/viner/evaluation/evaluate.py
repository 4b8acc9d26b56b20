"""Runs a recognizer over annotated documents and compares."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from viner.corpus import refuse_partial
from viner.document import Document, Entity, Span
from viner.errors import InputError
from viner.evaluation.breakdowns import Breakdowns
from viner.evaluation.documents import named
from viner.evaluation.report import Evaluation
from viner.metrics import SeenSurfaces, bootstrap_interval
from viner.text import words_of


class Evaluable(Protocol):
    """What is evaluated: :class:`viner.runtime.Recognizer`, alone or with rules."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the entity types."""

    def stream(
        self, items: Iterable[Document], /, *, unanswered: Callable[[Document, Sequence[Span]], None]
    ) -> Iterator[Document]:
        """The documents in order; ``unanswered`` is told of words that nothing looked at."""


Observer = Callable[[Document, Document], None]
"""Is shown each scored document as annotated, and as the recognizer answered it."""


def evaluate_model(
    recognizer: Evaluable,
    documents: Iterable[Document],
    *,
    where: str | Path | None = None,
    observe: Observer | None = None,
    seen: SeenSurfaces | None = None,
) -> Evaluation:
    """Scores a recognizer on annotated documents, in constant memory but for three numbers and the id of each document.

    The recognizer gets each document's text and words, never its annotations. Words of the document override the splitter, so a
    file with its own tokenization is evaluated on that.

    Args:
        recognizer: What is evaluated.
        documents: Any iterable; documents that are not annotated (``entities`` is None) are left out and counted.
        where: The file that the documents come from, for messages.
        observe: Is called as ``observe(gold, predicted)`` for each scored document, in the order of the file: for reports that
            need more than counts. Whatever it keeps is not in constant memory.
        seen: What the recognizer learned from (:func:`viner.evaluation.seen_surfaces`), for scores of seen and unseen entities.

    Raises:
        InputError: If no document has an entity: there is nothing to score against. If one is annotated only in part: what
            nobody looked at cannot be scored.
    """
    pairs = _Pairs(documents, where)
    breakdowns = Breakdowns(seen)
    known = set(recognizer.labels)
    unknown: Counter[str] = Counter()
    truncated = cut = overlapping = count = 0
    unanswered: list[Span] = []
    for predicted in recognizer.stream(pairs.questions(), unanswered=lambda _, spans: unanswered.extend(spans)):
        gold = pairs.next_gold()
        entities = gold.entities or ()
        count += 1
        breakdowns.observe(gold, predicted)
        if observe is not None:
            observe(gold, predicted)
        unknown.update(entity.label for entity in entities if entity.label not in known)
        overlapping += len(entities) - most_disjoint(entities)
        found = {(entity.start, entity.end) for entity in predicted.entities or ()}
        words = predicted.words or ()
        covered = words[-1][1] if words else 0
        starts, ends = _borders(words)
        for entity in entities:
            if (entity.start, entity.end) in found:
                continue
            end = entity.start + len((entity.text or "").rstrip())
            behind = covered < end and covered < _end(gold)
            if behind or any(first < end and entity.start < last for first, last in unanswered):
                truncated += 1
            elif entity.start not in starts or entity.end not in ends:
                cut += 1
        unanswered.clear()
    scores = breakdowns.strict.scores()
    if not scores.micro.support:
        raise InputError(
            f"none of the {count + pairs.unannotated} documents has an entity to score against",
            where=where,
            hint="Evaluation needs annotated documents: CoNLL, JSONL with 'entities', or inline markup",
        )
    return Evaluation(
        scores,
        count,
        pairs.unannotated,
        truncated,
        cut,
        dict(sorted(unknown.items())),
        bootstrap_interval(breakdowns.documents.counts()),
        breakdowns.modes,
        breakdowns.lengths(),
        breakdowns.surfaces(),
        breakdowns.documents,
        dict(sorted(breakdowns.modes_by_label.items())),
        overlapping,
    )


def most_disjoint(entities: Iterable[Entity]) -> int:
    """How many entities at most do not overlap each other."""
    count = behind = 0
    for entity in sorted(entities, key=lambda entity: entity.end):
        if entity.start >= behind:
            count, behind = count + 1, entity.end
    return count


def _end(document: Document) -> int:
    """Where the last word of a document ends, behind which nothing is to be found."""
    words = words_of(document)
    return words[-1][1] if words else 0


def _borders(words: Sequence[tuple[int, int]]) -> tuple[set[int], set[int]]:
    return {start for start, _ in words}, {end for _, end in words}


class _Pairs:
    """Hands documents out without their annotations and keeps the originals until the answers come back, in order."""

    def __init__(self, documents: Iterable[Document], where: str | Path | None) -> None:
        self._documents = documents
        self._where = where
        self._waiting: deque[Document] = deque()
        self.unannotated = 0

    def questions(self) -> Iterator[Document]:
        for document in named(self._documents):
            if document.entities is None:
                self.unannotated += 1
                continue
            refuse_partial([document], "score", where=self._where)
            self._waiting.append(document)
            yield document.bare()

    def next_gold(self) -> Document:
        return self._waiting.popleft()
