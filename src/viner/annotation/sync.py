"""``viner.toml`` and the store hold the same schema. The store's is the one that annotations go by; people edit the file.

What the file held when both were in step last is remembered beside it as a hash. From it follows, when they differ, who moved:
a person with an editor, or the store, whose changes did not reach this file, since the program was killed in between, or since
they were made from another copy of the project folder. A copy that remembers nothing is behind where the store once had its
schema.

Rules that the file holds name labels, so they follow the schema in the same write: from the version that the file has to the
store's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from viner.annotation.label_map import Step, read_history, steps_since
from viner.annotation.rule_labels import follow_rules, note_moves
from viner.errors import SchemaError, VinerError
from viner.project import Project
from viner.project.toml import read_toml, write_text
from viner.schema import Layer, Schema
from viner.store import Store
from viner.store.preferences import read_setting, write_setting
from viner.store.tables import contents, documents, entities

_SYNCED = ".schema-synced"
"""Beside ``viner.toml``: hashes of the schemas that viner left there, two while it writes."""
_FORMER = "schema.synced"
"""Where earlier versions remembered it: in the store, once for all copies of the folder."""
WHO = "viner.toml"
"""Who made a change that stood in the file."""

Outcome = Literal["same", "read", "written"]


def sync(project: Project, store: Store) -> Outcome:
    """Brings ``viner.toml`` and the store together; called when a project is opened.

    Args:
        project: The project.
        store: Its store.

    Returns:
        "read" where the store took over what a person had written into the file, "written" where the file was behind,
        "same" where neither was.

    Raises:
        SchemaError: If the file no longer has a label or layer that annotations use.
    """
    outcome: Outcome = "same"
    with store.transaction(exclusive=True) as transaction:
        connection = transaction.connection
        written = project.schema()
        schema, _ = transaction.schema()
        if written is None:
            outcome = "written" if schema.layers else "same"
        elif _hash(written) != _hash(schema):
            where = str(project.path / "viner.toml")
            if _is_behind(connection, project, schema, written, where):
                outcome = "written"
            else:
                _check_kept(connection, schema, written, where)
                event = transaction.event(f"viner.toml-{uuid.uuid4()}", who=WHO, kind="schema")
                event.set_schema(written)
                event.finish()
                outcome = "read"
        if outcome != "written" and written is not None:
            _remember(project, _hash(written))
            _forget_former(connection, project)
    if outcome == "written":
        write_back(store, project)
    return outcome


def _is_behind(connection: Connection, project: Project, schema: Schema, written: Schema, where: str) -> bool:
    """Whether it is the store that moved on from what a file holds."""
    if all(_hash(step.schema) != _hash(written) for step in read_history(connection)):
        return False
    synced = _remembered(project)
    if synced:
        return _hash(written) in synced
    former = read_setting(connection, _FORMER)
    if former in (None, _hash(written)):
        return True
    try:  # an edit of this file, or another copy of the folder, whose labels annotations may have left
        _check_kept(connection, schema, written, where)
    except SchemaError:
        return True
    return False


def _forget_former(connection: Connection, project: Project) -> None:
    """Once this folder remembers by itself, any other copy that remembers nothing is one that is behind."""
    if _remembered(project) and read_setting(connection, _FORMER) is not None:
        write_setting(connection, _FORMER, None)


def _remembered(project: Project) -> list[str]:
    try:
        return (project.path / _SYNCED).read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []


def _held(project: Project) -> list[str]:
    try:
        held = project.schema()
    except VinerError:
        held = None
    return [] if held is None else [_hash(held)]


def _remember(project: Project, *hashes: str) -> None:
    if _remembered(project) != list(hashes):
        with contextlib.suppress(VinerError):  # a folder that cannot be written to holds no edits, either
            write_text(project.path / _SYNCED, "\n".join(hashes) + "\n")


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What came of writing a schema into ``viner.toml``.

    Args:
        rules: How many of its rules have another label now.
        problem: Why it could not be written; None where it was.
    """

    rules: int = 0
    problem: VinerError | None = None


def write_back(store: Store, project: Project) -> int:
    """Writes the store's schema into ``viner.toml``, lets the rules there follow, and remembers that both are the same.

    Returns:
        How many rules have another label now.

    Raises:
        InputError: If the file cannot be read.
        VinerError: If it cannot be written; then it is as before.
    """
    # What is noted is for taking the change back. It comes first, and alone: without the file's new content it means nothing.
    with store.transaction(exclusive=True) as transaction:
        connection = transaction.connection
        data = read_toml(project.path / "viner.toml")
        note_moves(connection, follow_rules(connection, _behind(connection, project, data), data))
    with store.transaction(exclusive=True) as transaction:
        connection = transaction.connection
        schema, _ = transaction.schema()
        _remember(project, *(_remembered(project)[:1] or _held(project)), _hash(schema))  # one of them, wherever this ends
        moved = project.write_schema(
            schema, lambda data: follow_rules(connection, _behind(connection, project, data), data).labels
        )
        _remember(project, _hash(schema))
        _forget_former(connection, project)
    return moved


def try_write_back(store: Store, project: Project) -> WrittenBack:
    """As :func:`write_back`, for a change that stands whether or not the file can be written.

    The next :func:`sync` writes a file that could not be written, once it is in order.
    """
    try:
        return WrittenBack(write_back(store, project))
    except VinerError as error:
        return WrittenBack(problem=error)


def _behind(connection: Connection, project: Project, data: Mapping[str, Any]) -> list[Step]:
    """The steps from the version of the schema that a file has to the store's; none where it never had any of them."""
    steps = read_history(connection)
    try:
        written = Schema.from_dict(data["schema"]) if "schema" in data else None
    except SchemaError:
        written = None
    synced = _remembered(project)[:1]
    found = next((step for step in reversed(steps) if step.schema == written), None)
    if found is None:  # somebody edits the file, or took the schema out of it: its rules are those of the last time
        found = next((step for step in reversed(steps) if _hash(step.schema) in synced), None)
    return [] if found is None else steps_since(steps, found.version)


def _check_kept(connection: Connection, schema: Schema, written: Schema, where: str) -> None:
    layers = {layer.name: layer for layer in written}
    for layer in schema:
        new = layers.get(layer.name)
        same_kind = new is not None and new.kind == layer.kind
        gone = [name for name in layer.names if new is None or not same_kind or name not in new.names]
        for label, n in _used(connection, layer, gone).items():
            if new is not None and not same_kind:
                problem = f"the layer {layer.name!r} was changed to {new.kind}, but {n:,} annotations are {layer.kind}"
            else:
                problem = f"the label {label!r} is no longer in the schema, but {n:,} annotations have it"
            raise SchemaError(
                problem,
                where=where,
                hint="Write it back as it was; then rename, merge or delete it on the Schema page",
            )
        if new is not None and same_kind and layer.multiple and not new.multiple and (n := _several(connection, layer.name)):
            raise SchemaError(
                f"the layer {layer.name!r} takes one class now, but {n:,} documents have several",
                where=where,
                hint="Write multiple = true back, or leave one class in each of them first",
            )


def _several(connection: Connection, layer: str) -> int:
    """How many documents have several classes of a layer."""
    rows = connection.execute(select(documents.c.labels).where(documents.c.labels.is_not(None)))
    return sum(len(json.loads(labels).get(layer) or ()) > 1 for (labels,) in rows)


def _used(connection: Connection, layer: Layer, labels: list[str]) -> dict[str, int]:
    """How many annotations have some labels of a layer, for those that have any."""
    if not labels:
        return {}
    if layer.kind == "entities":
        statement = (
            select(entities.c.label, func.count().label("n")).where(entities.c.label.in_(labels)).group_by(entities.c.label)
        )
        return {row.label: row.n for row in connection.execute(statement)}
    column = {"labels": documents.c.labels, "tags": contents.c.tags, "relations": contents.c.relations}[layer.kind]
    found: dict[str, int] = {}
    for (body,) in connection.execute(select(column).where(column.is_not(None))):
        data = json.loads(body)
        values = [item["label"] for item in data] if layer.kind == "relations" else data.get(layer.name) or ()
        for label in set(values).intersection(labels):
            found[label] = found.get(label, 0) + 1
    return found


def _hash(schema: Schema) -> str:
    return hashlib.sha256(json.dumps(schema.to_dict(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
