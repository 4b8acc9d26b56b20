"""Reading: one document, lists of documents, and how many there are."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from dataclasses import replace
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Select, Text, exists, func, literal, or_, select

from viner.store.errors import UnknownDocumentError
from viner.store.records import Counts, Filter, Page, Row, Sampled, StoredDocument
from viner.store.tables import LARGEST, comments, contents, counters, documents, entities
from viner.store.transaction import batches, read_schema, to_comment, to_entity
from viner.store.values import SPLITS, STATES, STATUSES
from viner.text import ToneStyle, split_words, tone_style

_EXCERPT = 120


def read_document(connection: Connection, document: str) -> StoredDocument:
    """One document with everything about it.

    Raises:
        UnknownDocumentError: If there is none of that id.
    """
    row = connection.execute(
        select(documents, contents.c.text, contents.c.words, contents.c.meta)
        .join(contents, contents.c.document == documents.c.number)
        .where(documents.c.id == document)
    ).one_or_none()
    if row is None:
        raise UnknownDocumentError(document)
    held = connection.execute(
        select(entities).where(entities.c.document == row.number).order_by(entities.c.start, entities.c.end, entities.c.id)
    )
    remarks = connection.execute(select(comments).where(comments.c.document == row.number).order_by(comments.c.number))
    labels = json.loads(row.labels) if row.labels else {}
    sampled = None if row.sampled_by is None else Sampled(row.sampled_by, row.sampled_model, row.sampled_score)
    return StoredDocument(
        id=row.id,
        number=row.number,
        text=row.text,
        words=tuple(split_words(row.text) if row.words is None else unflatten(row.words)),
        version=row.version,
        schema=read_schema(connection)[1],
        status=row.status,
        flagged=bool(row.flagged),
        split=row.split,
        meta=json.loads(row.meta),
        entities=tuple(to_entity(entity) for entity in held),
        labels={layer: tuple(classes) for layer, classes in labels.items()},
        comments=tuple(to_comment(comment) for comment in remarks),
        annotator=row.annotator,
        sampled=sampled,
        suggested_by=row.suggested_by,
    )


def unflatten(words: str) -> list[tuple[int, int]]:
    """Word spans from the flat list that the table holds."""
    offsets = json.loads(words)
    return list(zip(offsets[::2], offsets[1::2], strict=True))


def conditions(connection: Connection, which: Filter) -> list[ColumnElement[bool]]:
    """What a filter asks of the rows of ``documents``."""
    asked: list[ColumnElement[bool]] = []
    if which.ids is not None:
        asked.append(documents.c.id.in_(which.ids))
    if which.statuses is not None:
        asked.append(documents.c.status.in_(which.statuses))
    if which.splits is not None:
        asked.append(documents.c.split.in_(which.splits))
    if which.flagged is not None:
        asked.append(documents.c.flagged if which.flagged else ~documents.c.flagged)
    if which.label is not None or which.state is not None:
        of = select(entities.c.document)
        if which.label is not None:
            of = of.where(entities.c.label == which.label)
        if which.state is not None:
            of = of.where(entities.c.state == which.state)
        asked.append(documents.c.number.in_(of))
    if which.commented is not None:
        remarked = exists().where(comments.c.document == documents.c.number)
        asked.append(remarked if which.commented else ~remarked)
    if which.text:
        asked.append(_contains(connection, which.text) | documents.c.id.icontains(which.text, autoescape=True))
    return asked


def find(connection: Connection, which: Filter, *, after: int | None, limit: int) -> Page:
    """Some lines of the list of documents that a filter lets through, from a number on."""
    start = min(max(after or 0, 0), LARGEST)
    if which.label is not None or which.state is not None:
        numbers = _by_entities(connection, which, start, limit + 1)
    elif which.commented:
        remarked = select(comments.c.document.label("number")).distinct()
        joined = remarked.join(documents, documents.c.number == comments.c.document)
        rest = conditions(connection, replace(which, commented=None))
        stretch = joined.where(comments.c.document > start, *rest)
        numbers = _merged(connection, [stretch], comments.c.document, limit + 1)
    elif which == Filter(statuses=which.statuses, splits=which.splits) and (which.statuses or which.splits):
        numbers = _by_status(connection, which, start, limit + 1)
    else:
        statement = select(documents.c.number).where(documents.c.number > start, *conditions(connection, which))
        numbers = list(connection.execute(statement.order_by(documents.c.number).limit(limit + 1)).scalars())
    rows = tuple(row for some in batches(numbers[:limit]) for row in _rows(connection, some))
    return Page(rows, numbers[limit - 1] if len(numbers) > limit else None)


def read_counts(connection: Connection) -> Counts:
    """How much there is, from the counters that every change keeps."""
    splits: dict[str, dict[str, int]] = {split: dict.fromkeys(STATUSES, 0) for split in SPLITS}
    labels: dict[str, dict[str, int]] = {}
    single = {"flagged": 0, "comments": 0}
    statement = select(counters.c.name, counters.c.key, counters.c.value, func.sum(counters.c.n)).group_by(
        counters.c.name, counters.c.key, counters.c.value
    )
    for name, key, value, n in connection.execute(statement):
        if name == "documents":
            splits[key][value] = int(n)
        elif name == "entities":
            labels.setdefault(key, dict.fromkeys(STATES, 0))[value] = int(n)
        else:
            single[name] = int(n)
    return Counts(splits, {label: states for label, states in sorted(labels.items()) if any(states.values())}, **single)


def _by_status(connection: Connection, which: Filter, start: int, limit: int) -> list[int]:
    """Numbers in order, a stretch of the index for each pair of split and status."""
    return _merged(
        connection,
        [
            select(documents.c.number).where(
                documents.c.split == split, documents.c.status == status, documents.c.number > start
            )
            for split, status in itertools.product(which.splits or SPLITS, which.statuses or STATUSES)
        ],
        documents.c.number,
        limit,
    )


def _by_entities(connection: Connection, which: Filter, start: int, limit: int) -> list[int]:
    """Numbers in order, a stretch of the index for each pair of label and state."""
    labels = [which.label] if which.label is not None else list(read_counts(connection).labels)
    states = [which.state] if which.state is not None else list(STATES)
    rest = conditions(connection, replace(which, label=None, state=None))
    return _merged(
        connection,
        [
            select(entities.c.document.label("number"))
            .distinct()
            .join(documents, documents.c.number == entities.c.document)
            .where(entities.c.label == label, entities.c.state == state, entities.c.document > start, *rest)
            for label, state in itertools.product(labels, states)
        ],
        entities.c.document,
        limit,
    )


def _merged(connection: Connection, stretches: list[Select[Any]], order: ColumnElement[int], limit: int) -> list[int]:
    """The smallest numbers of several stretches, each read no further than needed."""
    found: set[int] = set()
    for stretch in stretches:
        found.update(connection.execute(stretch.order_by(order).limit(limit)).scalars())
    return sorted(found)[:limit]


def _rows(connection: Connection, numbers: list[int]) -> list[Row]:
    remarks = dict(_tallies(connection, comments, comments.c.document.in_(numbers)))
    of = entities.c.document.in_(numbers)
    accepted = dict(_tallies(connection, entities, of & (entities.c.state == "accepted")))
    suggested = dict(_tallies(connection, entities, of & (entities.c.state == "suggested")))
    columns = documents.c
    rows = connection.execute(
        select(
            columns.number, columns.id, columns.status, columns.split, columns.flagged,
            func.substr(contents.c.text, 1, 4 * _EXCERPT).label("beginning"),
        )
        .join(contents, contents.c.document == columns.number)
        .where(columns.number.in_(numbers))
        .order_by(columns.number)
    )  # fmt: skip
    return [
        Row(
            row.id, row.number, row.status, row.split, bool(row.flagged),
            remarks.get(row.number, 0), accepted.get(row.number, 0), suggested.get(row.number, 0),
            " ".join(row.beginning.split())[:_EXCERPT],
        )
        for row in rows
    ]  # fmt: skip


def _tallies(connection: Connection, table: Any, which: ColumnElement[bool]) -> list[tuple[int, int]]:
    statement = select(table.c.document, func.count()).where(which).group_by(table.c.document)
    return [(document, n) for document, n in connection.execute(statement)]


def _contains(connection: Connection, wanted: str) -> ColumnElement[bool]:
    # Under a name of its own: a statement that selects from the contents as well would else take this table for its own.
    searched = contents.alias("searched")
    text = select(searched.c.text).where(searched.c.document == documents.c.number).scalar_subquery()
    spellings = _spellings(wanted)
    if connection.dialect.name == "sqlite":
        # SQLite's own LIKE ignores the case of ASCII letters only, and would not find "đà nẵng" in "Đà Nẵng".
        folded = dict.fromkeys(spelling.casefold() for spelling in spellings)
        return func.viner_contains(text, literal(json.dumps(list(folded)), Text), type_=Boolean)
    return or_(*(text.icontains(spelling, autoescape=True) for spelling in spellings))


def _spellings(wanted: str) -> list[str]:
    """A text as it may stand in a document: composed or not, with the tone mark on either vowel (*Hòa*, *Hoà*)."""
    words = re.split(r"(\s+)", wanted)
    styles: tuple[ToneStyle, ...] = ("new", "old")
    composed = ["".join(tone_style(word, style) for word in words) for style in styles]
    decomposed = [unicodedata.normalize("NFD", spelling) for spelling in composed]
    return list(dict.fromkeys([wanted, *composed, *decomposed]))
