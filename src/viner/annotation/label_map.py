"""Where labels went: from any earlier version of the schema, or from the labels of an older model, to today's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from viner.schema import ENTITIES, Schema
from viner.store import Store
from viner.store.following import Follower
from viner.store.preferences import CHANGE, write_setting
from viner.store.tables import events, schemas, settings

if TYPE_CHECKING:
    from viner.annotation.changes.kinds import Change


@dataclass(frozen=True, slots=True)
class Step:
    """One version of the schema, and how the version before led to it.

    Args:
        version: Its version.
        schema: The schema.
        layer: The layer whose labels moved.
        moves: What became of labels that did not stay.
        undoes: The version that it takes back; None if it takes back none.
    """

    version: int
    schema: Schema
    layer: str = ENTITIES
    moves: Mapping[str, Follower] = field(default_factory=dict)
    undoes: int | None = None

    def labels(self, layer: str) -> tuple[str, ...]:
        """The labels of a layer, none where there is no such layer."""
        return next((item.names for item in self.schema if item.name == layer), ())


def remember(connection: Connection, version: int, change: Change) -> None:
    """Notes which change led to a version of the schema; called in the transaction of the change.

    Which surfaces a split was told about is not noted: they are pieces of texts, and those may be erased.
    """
    noted = {key: value for key, value in change.to_dict().items() if key != "assign"}
    write_setting(connection, f"{CHANGE}{version}", noted)


def schema_history(store: Store) -> tuple[Step, ...]:
    """All versions of the schema, oldest first, undone changes included."""
    with store.reading() as connection:
        return read_history(connection)


def read_history(connection: Connection) -> tuple[Step, ...]:
    """As :func:`schema_history`, within a transaction."""
    from viner.annotation.changes.kinds import change_from_dict  # which imports this module

    bodies = connection.execute(select(schemas.c.version, schemas.c.body).order_by(schemas.c.version)).all()
    noted = connection.execute(select(settings.c.key, settings.c.value).where(settings.c.key.startswith(CHANGE))).all()
    happened = connection.execute(
        select(events.c.operation, events.c.undoes, events.c.answer).where(events.c.before.is_not(None))
    ).all()
    made = {int(row.key.removeprefix(CHANGE)): change_from_dict(json.loads(row.value)) for row in noted}
    versions = {row.operation: json.loads(row.answer)["schema"] for row in happened if row.answer}
    undoes = {versions[row.operation]: versions.get(row.undoes) for row in happened if row.answer and row.undoes}
    read = {row.version: Schema.from_dict(json.loads(row.body)) for row in bodies}
    steps = []
    for version, schema in read.items():
        root, back = version, False
        while root in undoes and undoes[root] is not None:
            root, back = undoes[root], not back
        change = made.get(root)
        if change is None:
            steps.append(Step(version, schema, undoes=undoes.get(version)))
        else:
            moves = _inverse(change, read.get(root - 1), read[root]) if back else _forward(change)
            steps.append(Step(version, schema, change.layer, moves, undoes.get(version)))
    return tuple(steps)


def mapping_since(store: Store, version: int, layer: str = ENTITIES) -> dict[str, str | None]:
    """Where each label of an earlier version of the schema is today, for pages that still have that version.

    Args:
        store: The store.
        version: The earlier version.
        layer: The layer.

    Returns:
        The label of today, or None where no single one follows; empty where there never was such a version.
    """
    return _today(schema_history(store), version, layer)


def mappings_since(store: Store, version: int) -> tuple[dict[str, str | None], dict[str, dict[str, str | None]]]:
    """As :func:`mapping_since`, for entities and, by layer, for all classes of documents."""
    steps = schema_history(store)
    start = next((step for step in steps if step.version == version), None)
    layers = () if start is None else [layer.name for layer in start.schema if layer.kind == "labels"]
    return _today(steps, version, ENTITIES), {layer: _today(steps, version, layer) for layer in layers}


def _today(steps: tuple[Step, ...], version: int, layer: str) -> dict[str, str | None]:
    return {label: found.label for label, found in follow(steps, version, layer).items()}


def followers_since(connection: Connection, version: int, layer: str = ENTITIES) -> dict[str, Follower]:
    """As :func:`mapping_since`, with reasons and within a transaction, for :meth:`Store.undo` and :meth:`Store.restore`."""
    return follow(read_history(connection), version, layer)


def label_map(labels: Schema | Iterable[str], history: Iterable[Step], layer: str = ENTITIES) -> dict[str, Follower]:
    """Where the labels of a model are today.

    A model does not say which version of the schema it learned. It is taken for the newest one with these very labels; where
    there is none (it came from elsewhere, or saw not all labels), each label is followed from the newest version that had it.

    Args:
        labels: The model's schema, or its labels.
        history: The versions of the project's schema, as :func:`schema_history` gives them.
        layer: The layer.
    """
    steps = tuple(history)
    names = tuple(_names(labels, layer) if isinstance(labels, Schema) else labels)
    learned = next((step.version for step in reversed(steps) if set(step.labels(layer)) == set(names)), None)
    if learned is not None:
        return {name: found for name, found in follow(steps, learned, layer).items() if name in names}
    found: dict[str, Follower] = {}
    for name in names:
        had = next((step.version for step in reversed(steps) if name in step.labels(layer)), None)
        found[name] = Follower(None, "the project never had it") if had is None else follow(steps, had, layer)[name]
    return found


def _names(schema: Schema, layer: str) -> tuple[str, ...]:
    return next((item.names for item in schema if item.name == layer), ())


def steps_since(steps: Iterable[Step], version: int) -> list[Step]:
    """The versions after one, oldest first, without those that took each other back."""
    path: list[Step] = []
    for step in steps:
        if step.version > version:
            if path and path[-1].version == step.undoes:
                path.pop()  # a change and its undoing, or that and its undoing: nothing went anywhere
            else:
                path.append(step)
    return path


def follow(history: Iterable[Step], version: int, layer: str = ENTITIES) -> dict[str, Follower]:
    """What follows the labels of a version of the schema; empty where there never was such a version, or layer.

    Args:
        history: The versions of the project's schema, as :func:`schema_history` gives them.
        version: The version.
        layer: The layer.
    """
    steps = tuple(history)
    start = next((step for step in steps if step.version == version), None)
    if start is None:
        return {}
    found = {label: Follower(label) for label in start.labels(layer)}
    for step in steps_since(steps, version):
        moves = step.moves if step.layer == layer else {}
        known = set(step.labels(layer))
        for name, follower in found.items():
            if follower.label is None:
                continue
            moved = moves.get(follower.label, follower)
            if moved.label is not None and moved.label not in known:
                moved = Follower(None, "it was deleted")
            found[name] = moved
    return found


def _forward(change: Change) -> dict[str, Follower]:
    return {old: Follower(new) if new is not None else Follower(None, change.reason()) for old, new in change.mapping().items()}


def _inverse(change: Change, before: Schema | None, after: Schema) -> dict[str, Follower]:
    """What becomes of labels when a change is taken back."""
    older = _names(before, change.layer) if before is not None else ()
    came = [label for label in _names(after, change.layer) if label not in older]
    olds: dict[str, list[str]] = {}
    for old, new in change.mapping().items():
        for label in came if new is None else [new]:
            olds.setdefault(label, [old] if label not in older else [label, old])
            if old not in olds[label]:
                olds[label].append(old)
    return {
        label: Follower(sources[0]) if len(sources) == 1 else Follower(None, f"it is {', '.join(sources)} again")
        for label, sources in olds.items()
    }
