"""Whether an operation is true of its document and of the schema. What is not is refused, never repaired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import regex
from sqlalchemy import Connection, select

from viner.schema import Schema
from viner.store.errors import RefusedError
from viner.store.operation import Operation, Put, StoredEntity
from viner.store.tables import contents, entities
from viner.store.transaction import read_comments, read_entities
from viner.text import Graphemes

MOST = 10_000
"""Entities, or comments, that one operation may put, and as many that it may remove."""

_PLAIN_BORDER = regex.compile(r"\p{GCB=Other}{2}|\s\S|[\S--\r]\s|\s[\s--\n]", regex.VERSION1)
_CONTROL = regex.compile(r"[\p{GCB=Control}\p{GCB=CR}\p{GCB=LF}]")
_NEAR = 32
"""Code points looked back for a certain border, before all of the text is looked at."""


def check_operation(connection: Connection, number: int, operation: Operation, schema: Schema) -> None:
    """Checks what an operation wants of a document, once its versions are known to be right.

    Args:
        connection: Within the transaction that will save it.
        number: The document's number.
        operation: The operation.
        schema: The current schema.

    Raises:
        RefusedError: With ``where`` naming the field, such as ``put[0].end``.
    """
    for where, values in (
        ("put", operation.put),
        ("delete", operation.delete),
        ("comments.put", operation.comments_put),
        ("comments.delete", operation.comments_delete),
    ):
        if len(values) > MOST:
            raise RefusedError(
                f"{len(values):,} at once are more than {MOST:,}", where=where, hint="Send it in several operations"
            )
    _check_twice([put.entity.id for put in operation.put] + list(operation.delete), "put", "entity")
    _check_twice([item.id for item in operation.comments_put] + list(operation.comments_delete), "comments.put", "comment")
    held = read_entities(connection, {number: [put.entity.id for put in operation.put] + list(operation.delete)})
    if operation.put:
        text = connection.execute(select(contents.c.text).where(contents.c.document == number)).scalar_one()
        labels, borders = schema.entity_labels, Borders(text)
        for index, put in enumerate(operation.put):
            now = held.get((number, put.entity.id))
            check_put(put, text, labels, borders, f"put[{index}]", now)
        _check_twins(connection, number, operation)
    for index, key in enumerate(operation.delete):
        if (number, key) not in held:
            raise RefusedError(f"the document has no entity {key!r}", where=f"delete[{index}]")
    _check_comments(connection, number, operation)
    check_labels(operation.labels or {}, schema)


def check_put(
    put: Put, text: str, labels: Iterable[str], borders: Borders, where: str, now: StoredEntity | None = None
) -> None:
    """Checks an entity against the text of its document.

    Args:
        put: The entity, with the surface its maker saw.
        text: The text.
        labels: The labels that entities may have.
        borders: Where characters of the text begin and end.
        where: The field, for errors.
        now: The entity of that id as it stands there. Where the span stays and is not accepted, its borders may be as they
            are: whatever came in with a file, a person can say no to it.

    Raises:
        RefusedError: If it leaves the text, does not have the surface its maker saw, begins or ends with white space, cuts a
            character, or has a label that the schema does not know.
    """
    start, end = put.entity.start, put.entity.end
    if start < 0:
        raise RefusedError(f"{start} lies before the text", where=f"{where}.start")
    if end > len(text):
        raise RefusedError(f"{end} lies behind the text of {len(text)} code points", where=f"{where}.end")
    if start >= end:
        raise RefusedError(f"the span [{start}, {end}] is empty", where=f"{where}.end")
    surface = text[start:end]
    if surface != put.surface:
        raise RefusedError(
            f"the text at [{start}, {end}] is {_short(surface)}, not {_short(put.surface)}",
            where=f"{where}.surface",
            hint="Offsets are code points of the raw text, end-exclusive",
        )
    if now is None or put.entity.state == "accepted" or (now.start, now.end) != (start, end):
        problem = borders.problem(start, end)
        if problem is not None:
            raise RefusedError(problem[1], where=f"{where}.{problem[0]}")
    if put.entity.label not in labels:
        raise RefusedError(
            f"the schema has no entity label {put.entity.label!r}",
            where=f"{where}.label",
            hint=f"Known: {', '.join(labels) or 'none'}",
        )


class Borders:
    """Where entities of a text may begin and end. It looks only at what stands around the offsets that it is asked about.

    Args:
        text: The raw text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._all: Graphemes | None = None

    def problem(self, start: int, end: int) -> tuple[str, str] | None:
        """What is wrong with a span that is not empty: the field and why; None where nothing is."""
        if self._text[start].isspace() or self._text[end - 1].isspace():
            return "surface", "an entity neither begins nor ends with white space"
        for name, offset in (("start", start), ("end", end)):
            if not self.is_border(offset):
                return name, f"{offset} lies inside a character (a letter with its marks, or an emoji of several parts)"
        return None

    def is_border(self, offset: int) -> bool:
        """Whether an offset lies between two grapheme clusters (Unicode Annex 29), or beside white space."""
        text = self._text
        if offset <= 0 or offset >= len(text) or _PLAIN_BORDER.match(text, offset - 1):
            return True
        if self._all is None:
            # Whether it is one depends on what stands before it, and on one code point behind it.
            start = offset - 1
            while start > max(0, offset - _NEAR) and not (
                _CONTROL.match(text, start - 1) or _PLAIN_BORDER.match(text, start - 1)
            ):
                start -= 1
            if start == 0 or start > offset - _NEAR:
                return Graphemes(text[start : offset + 1]).is_border(offset - start)
            # Flags, families and Indic syllables may look far back.
            self._all = Graphemes(text)
        return self._all.is_border(offset)


def check_labels(labels: Mapping[str, tuple[str, ...]], schema: Schema) -> None:
    """Checks classes of a document against the schema.

    Raises:
        RefusedError: If a layer or class is unknown, or there are several where only one may be.
    """
    layers = {layer.name: layer for layer in schema if layer.kind == "labels"}
    for name, classes in labels.items():
        layer = layers.get(name)
        if layer is None:
            raise RefusedError(f"the schema has no label layer {name!r}", where=f"labels.{name}")
        for index, item in enumerate(classes):
            if item not in layer.names:
                raise RefusedError(
                    f"the layer has no class {item!r}", where=f"labels.{name}[{index}]", hint=f"Known: {', '.join(layer.names)}"
                )
        if len(set(classes)) < len(classes):
            raise RefusedError("a class stands there twice", where=f"labels.{name}")
        if len(classes) > 1 and not layer.multiple:
            raise RefusedError("the layer takes one class", where=f"labels.{name}")


def find_twin(connection: Connection, number: int, wanted: Mapping[str, StoredEntity], leaving: Iterable[str]) -> str | None:
    """The id of an entity that would stand twice, accepted with the same span and label.

    Args:
        connection: The connection.
        number: The document's number.
        wanted: Entities as they are to be, by id.
        leaving: Ids of entities that go.

    Returns:
        Its id among ``wanted``; None where all is well.
    """
    accepted = {key: entity for key, entity in wanted.items() if entity.state == "accepted"}
    spans: dict[tuple[int, int, str], str] = {}
    for key, entity in accepted.items():
        if spans.setdefault((entity.start, entity.end, entity.label), key) != key:
            return key
    touched = {*wanted, *leaving}
    columns = entities.c
    statement = select(columns.id, columns.start, columns.end, columns.label).where(
        columns.document == number, columns.state == "accepted"
    )
    if len(accepted) <= 100:
        statement = statement.where(columns.start.in_({entity.start for entity in accepted.values()}))
    if accepted:
        for row in connection.execute(statement):
            if row.id not in touched and (row.start, row.end, row.label) in spans:
                return spans[row.start, row.end, row.label]
    return None


def _check_twins(connection: Connection, number: int, operation: Operation) -> None:
    twin = find_twin(connection, number, {put.entity.id: put.entity for put in operation.put}, operation.delete)
    if twin is not None:
        index = next(index for index, put in enumerate(operation.put) if put.entity.id == twin)
        entity = operation.put[index].entity
        raise RefusedError(f"[{entity.start}, {entity.end}] is already accepted as {entity.label}", where=f"put[{index}]")


def _check_comments(connection: Connection, number: int, operation: Operation) -> None:
    known = read_comments(connection, {number: operation.comments_delete})
    for index, key in enumerate(operation.comments_delete):
        if (number, key) not in known:
            raise RefusedError(f"the document has no comment {key!r}", where=f"comments.delete[{index}]")
    about = [item.entity for item in operation.comments_put if item.entity is not None]
    if about:
        there = {key for _, key in read_entities(connection, {number: about})} - set(operation.delete)
        there |= {put.entity.id for put in operation.put}
        for index, item in enumerate(operation.comments_put):
            if item.entity is not None and item.entity not in there:
                raise RefusedError(f"the document has no entity {item.entity!r}", where=f"comments.put[{index}].entity")


def _check_twice(keys: list[str], where: str, what: str) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise RefusedError(f"the {what} {key!r} stands there twice", where=where)
        seen.add(key)


def _short(surface: str) -> str:
    return repr(surface if len(surface) <= 40 else surface[:39] + "…")
