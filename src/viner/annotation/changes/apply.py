"""Doing a change of the schema: one transaction, one event, however many documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence, Set
from typing import Any

from sqlalchemy import Connection, select

from viner.annotation.changes.kinds import Change, Split
from viner.annotation.changes.preview import outcome
from viner.annotation.changes.reach import (
    BATCH,
    SURFACE,
    check_reach,
    classified_documents,
    involved_labels,
    touched_documents,
)
from viner.annotation.label_map import remember
from viner.annotation.sync import write_back
from viner.errors import VinerError
from viner.project import Project
from viner.store import Comment, Saved, Store, StoredEntity
from viner.store.delta import Delta
from viner.store.tables import comments, contents, documents, entities
from viner.store.transaction import OpenEvent, to_comment, to_entity

_RANK = {"accepted": 0, "suggested": 1, "rejected": 2}


class StaleChangeError(VinerError):
    """The change was prepared under a schema that is no longer the current one.

    Args:
        version: Version of the current schema.
        made_on: Version that it was prepared under.
    """

    code = "stale_schema"

    def __init__(self, version: int, made_on: int) -> None:
        super().__init__(
            f"the change was prepared under schema {made_on}, and the project is at {version} now",
            hint="Look at the labels as they are now, and prepare it again",
        )
        self.version = version


def apply(
    store: Store,
    change: Change,
    *,
    operation: str,
    who: str,
    version: int | None = None,
    project: Project | None = None,
) -> Saved:
    """Makes a change of the schema and of everything annotated with it, as one event that :meth:`Store.undo` takes back.

    Versions of the touched documents go up, so that pages that have one open are told, as are all by the schema's version.

    Args:
        store: The store.
        change: The change.
        operation: Id of this operation; sent again with the same change, it is not done again.
        who: Who does it.
        version: Version of the schema that it was prepared under; None takes the current one.
        project: Whose ``viner.toml`` is written when the new schema is in the store, and whose rules follow.

    Raises:
        SchemaError: If the change does not fit the schema or what documents have.
        StaleChangeError: If the schema is at another version.
        RefusedError: If the id was used for something else.
    """
    with store.transaction(exclusive=True) as transaction:
        event = transaction.event(operation, who=who, kind="schema", body={"change": change.to_dict()})
        if event.answer is None:
            schema, current = transaction.schema()
            if version is not None and version != current:
                raise StaleChangeError(current, version)
            changed = change.schema(schema)
            connection = transaction.connection
            check_reach(connection, change, schema)
            if change.sources():
                if schema[change.layer].kind == "labels":
                    _apply_to_classes(connection, event, change)
                else:
                    _apply_to_entities(connection, event, change)
            remember(connection, event.set_schema(changed), change)
            saved = event.finish()
        else:
            saved = event.answer
    if project is not None:
        write_back(store, project)
    return saved


def _apply_to_entities(connection: Connection, event: OpenEvent, change: Change) -> None:
    numbers = touched_documents(connection, change)
    for first in range(0, len(numbers), BATCH):
        some = numbers[first : first + BATCH]
        held = _read(connection, change, some)
        several = len(involved_labels(change)) > 1
        remarks, related = (_remarks(connection, some), _related(connection, some)) if several else ({}, {})
        reopened = _done(connection, some) if isinstance(change, Split) else set()
        event.apply(
            {
                number: _delta(
                    change, held[number], remarks.get(number, ()), related.get(number, frozenset()), number in reopened
                )
                for number in some
            }
        )


def _apply_to_classes(connection: Connection, event: OpenEvent, change: Change) -> None:
    mapping, deltas = change.mapping(), {}
    for number, classes, _ in classified_documents(connection, change):
        moved = (mapping.get(name, name) for name in classes)
        deltas[number] = Delta(labels={change.layer: tuple(dict.fromkeys(name for name in moved if name is not None))})
        if len(deltas) == BATCH:
            event.apply(deltas)
            deltas = {}
    event.apply(deltas)


def _delta(
    change: Change,
    held: Sequence[tuple[StoredEntity, str]],
    remarks: Sequence[Comment],
    related: Set[str],
    done: bool,
) -> Delta:
    after: dict[str, StoredEntity | None] = {}
    there: dict[tuple[int, int, str], StoredEntity] = {}
    followers: dict[str, str] = {}
    review = False
    for entity, moved in sorted(_moved(change, held), key=lambda pair: _precedence(pair[0], pair[1], related)):
        if moved is None:
            after[entity.id] = None
            continue
        kept = there.setdefault((moved.start, moved.end, moved.label), moved)
        if kept is not moved:
            after[entity.id] = None
            followers[entity.id] = kept.id
        elif moved != entity:
            after[entity.id] = moved
            review = review or (entity.state == "accepted" and moved.state == "suggested")
    # What was remarked on an entity that another one stands for now is about that one.
    comments_after: dict[str, Comment | None] = {
        item.id: Comment(item.id, item.text, followers[item.entity], item.who, item.at)
        for item in remarks
        if item.entity in followers
    }
    # A done document says of every word that it is no entity unless accepted, which is not so while some must be reviewed.
    return Delta(after, comments=comments_after, fields={"status": "started"} if done and review else {})


def _moved(change: Change, held: Sequence[tuple[StoredEntity, str]]) -> Iterator[tuple[StoredEntity, StoredEntity | None]]:
    for entity, surface in held:
        to = outcome(change, entity.label, entity.state, surface)
        if to is None:
            yield entity, None
            continue
        label, state = to
        source = f"split of {entity.label}" if state != entity.state else entity.source
        yield entity, StoredEntity(entity.id, entity.start, entity.end, label, state, entity.score, source)  # type: ignore[arg-type]


def _precedence(entity: StoredEntity, moved: StoredEntity | None, related: Set[str]) -> tuple[int, bool, bool, str]:
    """Of equal ones an accepted one stays, then an open suggestion; then one that a relation names; then who had the label."""
    return _RANK[entity.state], entity.id not in related, moved is None or moved.label != entity.label, entity.id


def _read(connection: Connection, change: Change, numbers: list[int]) -> dict[int, list[tuple[StoredEntity, str]]]:
    held: dict[int, list[tuple[StoredEntity, str]]] = {number: [] for number in numbers}
    statement = select(entities)
    if isinstance(change, Split):
        statement = select(entities, SURFACE).join(contents, contents.c.document == entities.c.document)
    statement = statement.where(entities.c.document.in_(numbers), entities.c.label.in_(involved_labels(change)))
    for row in connection.execute(statement):
        held[row.document].append((to_entity(row), row.surface if isinstance(change, Split) else ""))
    return held


def _remarks(connection: Connection, numbers: list[int]) -> dict[int, list[Comment]]:
    found: dict[int, list[Comment]] = {}
    wanted = comments.c.document.in_(numbers) & comments.c.entity.is_not(None)
    for row in connection.execute(select(comments).where(wanted)):
        found.setdefault(row.document, []).append(to_comment(row))
    return found


def _related(connection: Connection, numbers: list[int]) -> dict[int, set[str]]:
    """Ids of the entities that relations of each document name."""
    found: dict[int, set[str]] = {}
    wanted = contents.c.document.in_(numbers) & contents.c.relations.is_not(None)
    for row in connection.execute(select(contents.c.document, contents.c.relations).where(wanted)):
        found[row.document] = {relation[end] for relation in json.loads(row.relations) for end in ("head", "tail")}
    return found


def _done(connection: Connection, numbers: list[int]) -> set[Any]:
    wanted = documents.c.number.in_(numbers) & (documents.c.status == "done")
    return set(connection.execute(select(documents.c.number).where(wanted)).scalars())
