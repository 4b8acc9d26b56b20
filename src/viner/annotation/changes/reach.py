"""Which annotations a change touches, read in batches so that it takes no memory of their number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Text, func, select
from sqlalchemy.sql.elements import ColumnElement

from viner.annotation.changes.kinds import Change, Merge, Split
from viner.errors import SchemaError
from viner.schema import Schema
from viner.store.tables import contents, documents, entities

BATCH = 400
"""Documents that are changed at a time."""

SURFACE: ColumnElement[str] = func.substr(
    contents.c.text, entities.c.start + 1, entities.c.end - entities.c.start, type_=Text
).label("surface")
"""What an entity covers; both databases count code points, as we do."""


def check_reach(connection: Connection, change: Change, schema: Schema) -> None:
    """Refuses changes that cannot be made of annotations that are there.

    Raises:
        SchemaError: If it is a layer of word tags or relations that documents have, or labels of documents are to be split.
    """
    kind = schema[change.layer].kind
    if not change.sources() or kind == "entities":
        return
    if kind == "labels":
        if isinstance(change, Split):
            raise SchemaError(
                "classes of whole documents have no surface to split them by",
                where=f"layer {change.layer}",
                hint="Add the new classes, then give them to the documents one by one",
            )
        return
    column = contents.c.tags if kind == "tags" else contents.c.relations
    if connection.execute(select(contents.c.document).where(column.is_not(None)).limit(1)).first() is not None:
        raise SchemaError(
            f"documents have {kind}, and these cannot be changed in the store",
            where=f"layer {change.layer}",
            hint="Export the documents, change them, and import them into a new project",
        )


def touched_documents(connection: Connection, change: Change) -> list[int]:
    """Numbers of the documents that have an entity of a label that changes, in order."""
    statement = (
        select(entities.c.document).where(entities.c.label.in_(change.sources())).distinct().order_by(entities.c.document)
    )
    return list(connection.execute(statement).scalars())


def involved_labels(change: Change) -> tuple[str, ...]:
    """The labels that change, and the one that they may meet."""
    return (*change.sources(), change.into) if isinstance(change, Merge) else change.sources()


def classified_documents(connection: Connection, change: Change) -> Iterator[tuple[int, tuple[str, ...], Any]]:
    """Yields number, classes and row of the documents that have a class that changes in a layer of document labels."""
    last, sources = 0, set(change.sources())
    while True:
        rows = connection.execute(
            select(documents.c.number, documents.c.labels, documents.c.split, documents.c.status)
            .where(documents.c.labels.is_not(None), documents.c.number > last)
            .order_by(documents.c.number)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        last = rows[-1].number
        for row in rows:
            classes = json.loads(row.labels).get(change.layer) or ()
            if sources.intersection(classes):
                yield row.number, tuple(classes), row
