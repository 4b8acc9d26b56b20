"""Keeping suggestions and uncertainties in a store up to date: of one document when it is served, of all in the background.

Only what no person has touched is replaced: open suggestions of documents that are still to do. What was accepted or rejected
stays; the same span with the same label is not suggested again. Suggestions that were imported stay until somebody decides.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from viner.annotation.leases import held
from viner.annotation.suggest.suggester import Suggester
from viner.document import Document, Entity
from viner.store import SPLITS, StoredEntity
from viner.store.reading import unflatten
from viner.store.tables import contents, documents, entities
from viner.store.values import is_suggesters

if TYPE_CHECKING:
    from viner.store import Store
    from viner.store.transaction import Transaction

AT_ONCE = 10_000
"""Longest text in code points for which suggestions are made while an annotator waits: the model takes some tenths of a second
for it. Longer documents are left to :func:`rank`."""

_DOCUMENTS = 128
_CHARACTERS = 500_000
"""A batch of the background pass ends at either number."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What :func:`rank` did.

    Args:
        documents: How many documents it looked at.
        suggested: How many of them got other suggestions.
        complete: Whether it went through to the end.
    """

    documents: int
    suggested: int
    complete: bool


def refresh(store: Store, number: int, suggester: Suggester, *, longest: int = AT_ONCE) -> bool:
    """Brings the suggestions of one document up to date, where it is still to do and they are not.

    Args:
        store: The store.
        number: Number of the document.
        suggester: What suggests now.
        longest: Longer texts are left alone.

    Returns:
        Whether its suggestions are those of the suggester now.
    """
    with store.reading() as connection:
        batch = _read(connection, [number])
    if not batch or batch[0].status != "todo" or len(batch[0].document.text) > longest:
        return False
    suggester = suggester.of_split(batch[0].split)
    if batch[0].mark == suggester.mark:
        return True
    return _write(store, batch, list(suggester.judged([batch[0].document])), suggester, leased=True) is not None


def rank(
    store: Store,
    suggester: Suggester,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Ranked:
    """Brings suggestions and uncertainties of all unfinished documents up to date.

    It may be interrupted at any time, and begins where it was when it is called again: documents whose suggestions are current
    are passed over. Documents that somebody has on the page are passed over, too; they are refreshed when they are next served.

    Args:
        store: The store. It is written in short transactions, between which others write.
        suggester: What suggests now.
        progress: Told how many documents were looked at since it was told last.
        stop: Asked between batches whether to stop.

    Returns:
        What was done.
    """
    seen = suggested = 0
    for split, status in itertools.product(SPLITS, ("todo", "started")):
        asked = suggester.of_split(split)
        after = 0
        while True:
            if stop is not None and stop():
                return Ranked(seen, suggested, complete=False)
            with store.reading() as connection:
                numbers = _outdated(connection, split, status, asked, after)
                batch = _read(connection, numbers)
            if not numbers:
                break
            after = batch[-1].number if batch else numbers[-1]
            changed = _write(store, batch, list(asked.judged([item.document for item in batch])), asked, leased=False)
            if changed is None:  # the schema has changed, and this suggester is no longer the one to ask
                return Ranked(seen, suggested, complete=False)
            seen += len(batch)
            suggested += changed
            if progress is not None:
                progress(len(batch))
    return Ranked(seen, suggested, complete=True)


@dataclass(frozen=True, slots=True)
class _Item:
    """A document as it was read; ``document.suggestions`` are those that were imported."""

    number: int
    version: int
    status: str
    split: str
    mark: str | None
    document: Document
    entities: tuple[StoredEntity, ...]


def _outdated(connection: Any, split: str, status: str, suggester: Suggester, after: int) -> list[int]:
    """Numbers of the next documents to look at."""
    asked = [documents.c.split == split, documents.c.status == status, documents.c.number > after]
    if status == "todo":
        asked.append(documents.c.suggested_by.is_distinct_from(suggester.mark))
    elif split != "train" or suggester.recognizer is None:
        return []  # of what is begun only the uncertainty is wanted
    statement = select(documents.c.number).where(*asked).order_by(documents.c.number).limit(_DOCUMENTS)
    return list(connection.execute(statement).scalars())


def _read(connection: Any, numbers: Sequence[int]) -> list[_Item]:
    """Documents by number, as many as make a batch."""
    if not numbers:
        return []
    stored: dict[int, list[StoredEntity]] = {number: [] for number in numbers}
    for row in connection.execute(select(entities).where(entities.c.document.in_(numbers))):
        stored[row.document].append(StoredEntity(row.id, row.start, row.end, row.label, row.state, row.score, row.source))
    statement = (
        select(documents, contents.c.text, contents.c.words)
        .join(contents, contents.c.document == documents.c.number)
        .where(documents.c.number.in_(numbers))
        .order_by(documents.c.number)
        .execution_options(yield_per=8)
    )
    items: list[_Item] = []
    length = 0
    rows = connection.execute(statement)
    for row in rows:
        words = None if row.words is None else unflatten(row.words)
        waiting = (entity for entity in stored[row.number] if entity.state == "suggested")
        imported = [entity.to_entity() for entity in waiting if not is_suggesters(entity.source)]
        document = Document(row.text, id=row.id, words=words, suggestions=imported)
        items.append(
            _Item(row.number, row.version, row.status, row.split, row.suggested_by, document, tuple(stored[row.number]))
        )
        length += len(row.text)
        if length >= _CHARACTERS:
            break
    rows.close()
    return items


def _write(
    store: Store,
    batch: Sequence[_Item],
    judged: Sequence[tuple[list[Entity], float | None]],
    suggester: Suggester,
    *,
    leased: bool,
) -> int | None:
    """Writes suggestions and uncertainties of documents that are as they were read.

    Returns:
        How many documents got other suggestions; None where the schema is not the suggester's, and nothing was written.
    """
    with store.transaction() as transaction:
        if transaction.schema()[0].entity_labels != suggester.labels:
            return None
        current = _current(transaction, batch, leased)
        uncertain = []
        same = []
        changed: dict[int, list[StoredEntity]] = {}
        for item, (found, uncertainty) in zip(batch, judged, strict=True):
            if item.number not in current:
                continue
            if uncertainty is not None and item.split == "train":
                uncertain.append({"key": item.number, "uncertainty": uncertainty})
            if item.status != "todo":
                continue
            fresh = list(_suggestions(item, found))
            if {_content(entity) for entity in fresh} == {_content(e) for e in item.entities if e.state == "suggested"}:
                same.append({"key": item.number, "mark": suggester.mark})
            else:
                changed[item.number] = fresh
        own = documents.c.number == bindparam("key")
        if uncertain:
            transaction.connection.execute(update(documents).where(own).values(uncertainty=bindparam("uncertainty")), uncertain)
        if same:
            transaction.connection.execute(update(documents).where(own).values(suggested_by=bindparam("mark")), same)
        if changed:
            transaction.suggest(changed, by=suggester.mark)
        return len(changed)


def _current(transaction: Transaction, batch: Sequence[_Item], leased: bool) -> set[int]:
    """Numbers of the documents that nobody has changed since they were read, or has open."""
    versions = {item.number: item.version for item in batch}
    statement = (
        select(documents.c.number, documents.c.version)
        .where(documents.c.number.in_(versions))
        .order_by(documents.c.number)
        .with_for_update()
    )
    current = {row.number for row in transaction.connection.execute(statement) if row.version == versions[row.number]}
    return current if leased else current - held(transaction.connection, current)


def _suggestions(item: _Item, found: Sequence[Entity]) -> Iterator[StoredEntity]:
    """What is to stand in the store: without what somebody decided on, imported ones under their own ids.

    What was suggested before keeps its id: remarks are about it, and a page that has it open knows it by that.
    """
    decided = {(e.start, e.end, e.label) for e in item.entities if e.state != "suggested"}
    known = {(e.start, e.end, e.label): e.id for e in item.entities if e.state == "suggested" and is_suggesters(e.source)}
    for entity in found:
        span = entity.start, entity.end, entity.label
        if span not in decided:
            key = entity.id or known.pop(span, None) or uuid.uuid4().hex
            yield StoredEntity(key, *span, "suggested", entity.score, entity.source)


def _content(entity: StoredEntity) -> tuple[Any, ...]:
    return entity.start, entity.end, entity.label, entity.score, entity.source
