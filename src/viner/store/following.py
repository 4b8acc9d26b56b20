"""Annotations from before a change of the schema, under the labels of today."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from viner.schema import ENTITIES, Schema
from viner.store.delta import Delta
from viner.store.errors import RefusedError
from viner.store.operation import StoredEntity
from viner.store.tables import changes, events


@dataclass(frozen=True, slots=True)
class Follower:
    """What follows a label today.

    Args:
        label: The label; None where no single one follows.
        reason: Then why; None where one does.
    """

    label: str | None
    reason: str | None = None


LabelsSince = Callable[[Connection, int, str], Mapping[str, Follower]]
"""What follows the labels of a version of the schema, in one of its layers: known to whoever changes the schema."""


def schema_of(answer: str) -> int:
    """The version of the schema in which an event ended, from its answer."""
    version: int = json.loads(answer)["schema"]
    return version


class Following:
    """Finds what annotations are called today.

    Where no single label follows, as after a split, what became of the very same entity of the document decides.

    Args:
        connection: The connection.
        schema: The current schema and its version.
        labels_since: What follows earlier labels; None knows of no changes, so a label stays or is gone.
    """

    def __init__(self, connection: Connection, schema: tuple[Schema, int], labels_since: LabelsSince | None = None) -> None:
        self._connection = connection
        self._schema, self._version = schema
        self._labels_since = labels_since
        self._known: dict[tuple[int, str], Mapping[str, Follower]] = {}

    def label(self, label: str, version: int, layer: str = ENTITIES) -> Follower:
        """What follows a label that was used under a version of the schema."""
        if self._labels_since is not None and version != self._version:
            if (version, layer) not in self._known:
                self._known[version, layer] = self._labels_since(self._connection, version, layer)
            found = self._known[version, layer].get(label)
            if found is not None:
                return found
        return Follower(label if self.knows(label, layer) else None)

    def knows(self, label: str, layer: str = ENTITIES) -> bool:
        """Whether the schema has a label of that name today."""
        return any(label in item.names for item in self._schema if item.name == layer)

    def entity(self, number: int, entity: StoredEntity, version: int) -> StoredEntity | None:
        """An entity of a document under its label of today; None where there is none.

        Args:
            number: The document's number.
            entity: The entity as it was.
            version: Version of the schema then.
        """
        label = self.label(entity.label, version).label
        if label is not None:
            return entity if label == entity.label else replace(entity, label=label)
        for later, before, after in self._schema_changes(number):
            moved = after.entities.get(entity.id)
            if later > version and moved is not None and before.entities[entity.id] == entity:
                return self.entity(number, moved, later)
        return None

    def classes(self, layer: str, classes: tuple[str, ...], version: int) -> tuple[str, ...] | None:
        """Classes of a document as they are called today; None where one of them is gone."""
        found = [self.label(name, version, layer).label for name in classes]
        return None if None in found else tuple(dict.fromkeys(name for name in found if name is not None))

    def entity_again(self, number: int, entity: StoredEntity, version: int, document: str) -> StoredEntity:
        """As :meth:`entity`, for one that is to come back.

        Raises:
            RefusedError: If no label follows its own.
        """
        found = self.entity(number, entity, version)
        if found is None:
            raise self._gone(entity.label, version, ENTITIES, document)
        return found

    def classes_again(self, layer: str, classes: tuple[str, ...], version: int, document: str) -> tuple[str, ...]:
        """As :meth:`classes`, for those that are to come back.

        Raises:
            RefusedError: If no label follows one of them.
        """
        found = self.classes(layer, classes, version)
        if found is None:
            raise self._gone(
                next(name for name in classes if self.label(name, version, layer).label is None), version, layer, document
            )
        return found

    def _gone(self, label: str, version: int, layer: str, document: str) -> RefusedError:
        reason = self.label(label, version, layer).reason
        return RefusedError(
            f"no label follows {label!r}: {reason}" if reason else f"the schema no longer has the label {label!r}",
            where=document,
            hint="Undo that change of the schema first, or annotate the document anew",
        )

    def _schema_changes(self, number: int) -> list[tuple[int, Delta, Delta]]:
        """What changes of the schema did to a document, oldest first: version of the schema afterwards, before, after."""
        rows = self._connection.execute(
            select(events.c.answer, changes.c.before, changes.c.after)
            .join(changes, changes.c.event == events.c.number)
            .where(changes.c.document == number, events.c.before.is_not(None), events.c.answer.is_not(None))
            .order_by(events.c.number)
        )
        return [(schema_of(row.answer), Delta.from_json(row.before), Delta.from_json(row.after)) for row in rows]
