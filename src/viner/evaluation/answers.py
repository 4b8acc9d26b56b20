"""Answers that stand in a file, to be scored as a model is: of another tool, a language model, an earlier run, a person."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from viner.document import Document, Span
from viner.errors import InputError
from viner.text import words_of

_SHOWN = 40


class Answers:
    """Recognizes nothing, but gives each document the entities that it has among documents of the same text.

    Args:
        documents: The answers in any order, each with the whole text of a document that will be asked for. Of several with the
            same text, a document gets the one that has its id, else the first without an id, else the first whose id is that of
            none of these documents. Without an id a document, and an answer, is called after its place in its file, such as
            ``#5``. All are kept in memory.
        where: The file that they come from, for messages.

    Raises:
        InputError: If one has no entities, not even none.
    """

    def __init__(self, documents: Iterable[Document], *, where: str | Path | None = None) -> None:
        self._where = where
        self._answers: dict[str, list[tuple[int, Document]]] = {}
        labels: set[str] = set()
        for number, document in enumerate(documents, 1):
            if document.entities is None:
                name = "" if document.id is None else f" ({document.id[:_SHOWN]})"
                raise InputError(
                    f"document {number}{name} says nothing of entities, not even that there are none",
                    where=where,
                    hint='Answers need entities, in JSONL "entities": [] where there are none',
                )
            labels.update(entity.label for entity in document.entities)
            self._answers.setdefault(document.text, []).append((number, document))
        self._labels = tuple(sorted(labels))
        self.unasked = 0
        """Answers to documents that were not asked for, the last time that :meth:`stream` came to its end."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The types that occur."""
        return self._labels

    def stream(
        self, items: Iterable[Document], /, *, unanswered: Callable[[Document, Sequence[Span]], None] | None = None
    ) -> Iterator[Document]:
        """The documents in order, with their own words and the entities of the answers.

        Args:
            items: The documents.
            unanswered: Never called: an answer is about all of a text.

        Raises:
            InputError: If there is no answer to one.
        """
        questions = list(items)
        ids: defaultdict[str, set[str | None]] = defaultdict(set)
        for asked in questions:
            ids[asked.text].add(asked.id)
        left = {text: _Left(answers, ids.get(text, ())) for text, answers in self._answers.items()}
        for number, asked in enumerate(questions, 1):
            found = left[asked.text].take(asked.id) if asked.text in left else None
            if found is None:
                name, there = str(number) if asked.id is None else asked.id[:_SHOWN], len(self._answers.get(asked.text, ()))
                others = left[asked.text].count if asked.text in left else 0
                raise InputError(
                    f"no answer to document {name}: {there} of its text are there"
                    + (f", {others} of them with the ids of other documents" if others else ""),
                    where=self._where,
                    hint="Each document needs an answer that has the same text, to the character",
                )
            yield asked.with_(words=words_of(asked), entities=found.entities)
        self.unasked = sum(item.count for item in left.values())


class _Left:
    """Answers of one text that nobody got yet.

    Args:
        answers: Each with its place in the file.
        asked: Ids of all documents of the text that will be asked for: an answer with one of them is that document's alone.
    """

    def __init__(self, answers: Sequence[tuple[int, Document]], asked: Collection[str | None]) -> None:
        self.count = len(answers)
        self._answers = [answer for _, answer in answers]
        self._taken: set[int] = set()
        self._by_name: defaultdict[str | None, deque[int]] = defaultdict(deque)
        self._nameless: deque[int] = deque()
        self._order: deque[int] = deque()
        for index, (place, answer) in enumerate(answers):
            self._by_name[f"#{place}" if answer.id is None else answer.id].append(index)
            if answer.id is None:
                self._nameless.append(index)
            elif answer.id not in asked:
                self._order.append(index)

    def take(self, name: str | None) -> Document | None:
        """The answer with that id, else the first without one, else the first of no other; None if there is none any more."""
        for queue in (self._by_name.get(name), self._nameless, self._order):
            while queue:
                index = queue.popleft()
                if index not in self._taken:
                    self._taken.add(index)
                    self.count -= 1
                    return self._answers[index]
        return None
