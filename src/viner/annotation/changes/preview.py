"""What a change of the schema would do, counted before it is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Text, case, func, select

from viner.annotation.changes.kinds import Add, Change, Delete, Merge, Split
from viner.annotation.changes.reach import SURFACE, check_reach, classified_documents, involved_labels
from viner.schema import Schema
from viner.store import SPLITS, STATES, STATUSES, Store
from viner.store.tables import contents, documents, entities
from viner.store.transaction import read_schema
from viner.text import nfc

SAMPLES = 5
SURFACES = 500
"""How many surfaces are listed, the most frequent first."""

_CONTEXT = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """An entity that would change, in its context.

    Args:
        id: Id of the document.
        before: Text before the entity, on one line.
        surface: Its text.
        after: Text after it.
        label: Its label now.
        to: Its label then; None where it goes.
        state: Its state now.
        to_state: Its state then; None where it goes.
    """

    id: str
    before: str
    surface: str
    after: str
    label: str
    to: str | None
    state: str
    to_state: str | None


@dataclass(frozen=True, slots=True)
class Surface:
    """How often a surface has the label that is to be split.

    Args:
        surface: The text, in NFC.
        accepted: Accepted entities.
        suggested: Open suggestions.
        rejected: Rejected ones.
        to: The label it is assigned to; None where its entities are to be reviewed.
    """

    surface: str
    accepted: int
    suggested: int
    rejected: int
    to: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do.

    Args:
        change: The change.
        schema: The schema it would be made on.
        version: Version of that schema.
        entities: Entities that would change, by state. For a layer of document labels: documents, under "accepted".
        documents: Documents with such entities, ``{split: {status: n}}``, every split and status present.
        collapsed: Entities that would become equal to another one and go.
        review: Accepted entities that would become suggestions, to be reviewed.
        reopened: Done documents that would be started again, because of these.
        surfaces: For a split, the most frequent surfaces.
        hidden_surfaces: How many more there are.
        samples: Some entities in context.
        notes: What else should be known, in sentences.
    """

    change: Change
    schema: Schema
    version: int
    entities: dict[str, int]
    documents: dict[str, dict[str, int]]
    collapsed: int = 0
    review: int = 0
    reopened: int = 0
    surfaces: tuple[Surface, ...] = ()
    hidden_surfaces: int = 0
    samples: tuple[Sample, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, with the schema as it would be under ``"schema"``."""
        return {
            "change": self.change.to_dict(),
            "version": self.version,
            "schema": self.change.schema(self.schema).to_dict(),
            "entities": self.entities,
            "documents": self.documents,
            "collapsed": self.collapsed,
            "review": self.review,
            "reopened": self.reopened,
            "surfaces": [asdict(surface) for surface in self.surfaces],
            "hidden_surfaces": self.hidden_surfaces,
            "samples": [asdict(sample) for sample in self.samples],
            "notes": list(self.notes),
        }


def preview(store: Store, change: Change) -> Preview:
    """Counts what a change would do, without doing it.

    Raises:
        SchemaError: If it does not fit the schema or what documents have.
    """
    with store.reading() as connection:
        schema, version = read_schema(connection)
        change.schema(schema)
        check_reach(connection, change, schema)
        by_state: dict[str, int] = dict.fromkeys(STATES, 0)
        by_split: dict[str, dict[str, int]] = {split: dict.fromkeys(STATUSES, 0) for split in SPLITS}
        if schema[change.layer].kind == "labels" and change.sources():
            for _, _, row in classified_documents(connection, change):
                by_state["accepted"] += 1
                by_split[row.split][row.status] += 1
            return Preview(change, schema, version, by_state, by_split, notes=_notes(connection, change, by_split, 0))
        _count(connection, change, by_state, by_split)
        surfaces: tuple[Surface, ...] = ()
        hidden = review = reopened = 0
        if isinstance(change, Split):
            surfaces, hidden = _surfaces(connection, change)
            review, reopened = _reviews(connection, change)
        return Preview(
            change,
            schema,
            version,
            by_state,
            by_split,
            collapsed=_collapsed(connection, change),
            review=review,
            reopened=reopened,
            surfaces=surfaces,
            hidden_surfaces=hidden,
            samples=_samples(connection, change),
            notes=_notes(connection, change, by_split, reopened),
        )


def outcome(change: Change, label: str, state: str, surface: str) -> tuple[str, str] | None:
    """Label and state of an entity after a change; None where it goes.

    Args:
        change: The change.
        label: The entity's label.
        state: Its state.
        surface: Its text; only a split looks at it.
    """
    if label not in change.sources():
        return label, state
    if isinstance(change, Split):
        found = change.assigned(surface)
        if found is None:
            return change.into[0], "suggested" if state == "accepted" else state
        return found, state
    to = change.mapping()[label]
    return None if to is None else (to, state)


def _count(connection: Connection, change: Change, by_state: dict[str, int], by_split: dict[str, dict[str, int]]) -> None:
    mine = entities.c.label.in_(change.sources())
    for state, n in connection.execute(select(entities.c.state, func.count()).where(mine).group_by(entities.c.state)):
        by_state[state] = n
    of = select(entities.c.document).where(mine)
    statement = (
        select(documents.c.split, documents.c.status, func.count())
        .where(documents.c.number.in_(of))
        .group_by(documents.c.split, documents.c.status)
    )
    for split, status, n in connection.execute(statement):
        by_split[split][status] = n


def _collapsed(connection: Connection, change: Change) -> int:
    if not isinstance(change, Merge):
        return 0
    twins = (
        select((func.count() - 1).label("more"))
        .where(entities.c.label.in_(involved_labels(change)))
        .group_by(entities.c.document, entities.c.start, entities.c.end)
        .having(func.count() > 1)
        .subquery()
    )
    return int(connection.execute(select(func.coalesce(func.sum(twins.c.more), 0))).scalar_one())


def _surfaces(connection: Connection, change: Split) -> tuple[tuple[Surface, ...], int]:
    found: dict[str, Counter[str]] = {}
    statement = (
        select(SURFACE, entities.c.state, func.count())
        .join(contents, contents.c.document == entities.c.document)
        .where(entities.c.label == change.label)
        .group_by(SURFACE, entities.c.state)
    )
    for surface, state, n in connection.execute(statement):
        found.setdefault(nfc(surface), Counter())[state] += n
    ordered = sorted(found.items(), key=lambda item: (-item[1].total(), item[0]))
    shown = tuple(
        Surface(surface, states["accepted"], states["suggested"], states["rejected"], change.assigned(surface))
        for surface, states in ordered[:SURFACES]
    )
    return shown, len(ordered) - len(shown)


def _reviews(connection: Connection, change: Split) -> tuple[int, int]:
    """Accepted entities to review, and done documents that have any."""
    review, reopened = 0, set()
    statement = (
        select(SURFACE, entities.c.document, documents.c.status)
        .join(contents, contents.c.document == entities.c.document)
        .join(documents, documents.c.number == entities.c.document)
        .where(entities.c.label == change.label, entities.c.state == "accepted")
    )
    for surface, document, status in connection.execute(statement):
        if change.assigned(surface) is None:
            review += 1
            if status == "done":
                reopened.add(document)
    return review, len(reopened)


def _samples(connection: Connection, change: Change) -> tuple[Sample, ...]:
    if not change.sources():
        return ()
    first = case((entities.c.start > _CONTEXT, entities.c.start - _CONTEXT), else_=0)
    statement = (
        select(
            documents.c.id,
            entities.c.label,
            entities.c.state,
            SURFACE,
            func.substr(contents.c.text, first + 1, entities.c.start - first, type_=Text).label("before"),
            func.substr(contents.c.text, entities.c.end + 1, _CONTEXT, type_=Text).label("after"),
        )
        .join(contents, contents.c.document == entities.c.document)
        .join(documents, documents.c.number == entities.c.document)
        .where(entities.c.label.in_(change.sources()))
        .order_by(entities.c.state, entities.c.document, entities.c.start)
        .limit(SAMPLES)
    )
    samples = []
    for row in connection.execute(statement):
        to = outcome(change, row.label, row.state, row.surface)
        label, state = (None, None) if to is None else to
        before, after = (_one_line(text) for text in (row.before, row.after))
        samples.append(Sample(row.id, before, row.surface, after, row.label, label, row.state, state))
    return tuple(samples)


def _notes(connection: Connection, change: Change, by_split: dict[str, dict[str, int]], reopened: int) -> tuple[str, ...]:
    notes = []
    done = sum(statuses["done"] for statuses in by_split.values())
    test = sum(by_split["test"].values())
    if isinstance(change, Delete) and done:
        notes.append(f"{done:,} done documents lose annotations, {test:,} documents of test among them.")
    if reopened:
        notes.append(f"{reopened:,} done documents are started again, because entities in them must be reviewed.")
    if isinstance(change, Add):
        finished = connection.execute(
            select(func.count()).select_from(documents).where(documents.c.status == "done")
        ).scalar_one()
        if finished:
            notes.append(
                f"{finished:,} documents are done without this label, and teach that it is nowhere in them. "
                "Look through them again, or reopen them."
            )
    return tuple(notes)


def _one_line(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text)
