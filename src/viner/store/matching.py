"""Which entities of a file are which of those that a document holds."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from functools import partial

from viner.store.operation import StoredEntity


def match(held: Sequence[StoredEntity], told: Iterable[StoredEntity], replaced: Set[str]) -> dict[str, StoredEntity | None]:
    """Gives a document what a file tells of it, and keeps the ids of what stays.

    A span can hold an accepted entity and a suggestion, in the document as in the file: each goes to its own kind first. An
    entity that finds none of its kind takes the place of another one of its span; a suggestion is left out where a person has
    decided on its span and the file tells nothing of decisions.

    Args:
        held: What the document holds.
        told: What the file tells.
        replaced: States that the file tells of; entities of others stay as they are.

    Returns:
        For each id what is to stand there: what the file tells, and None for what it does not tell any more.
    """
    twins: dict[tuple[int, int, str], list[StoredEntity]] = {}
    for entity in held:
        twins.setdefault(_span(entity), []).append(entity)
    kinds = {(*_span(entity), entity.state) for entity in held}
    used = {entity.id for entity in held}
    wanted: dict[str, StoredEntity | None] = {entity.id: None for entity in held if entity.state in replaced}
    for entity in sorted(told, key=lambda entity: (*_span(entity), entity.state) not in kinds):
        if entity.state not in replaced:
            continue
        free = twins.get(_span(entity), [])
        twin = min(free, key=partial(_unlike, entity), default=None)
        if twin is None:
            name = uuid.uuid4().hex if entity.id in used else entity.id
        elif entity.state == "suggested" and twin.state not in replaced:
            continue
        else:
            free.remove(twin)
            name = twin.id
        used.add(name)
        wanted[name] = replace(entity, id=name)
    return wanted


def _span(entity: StoredEntity) -> tuple[int, int, str]:
    return entity.start, entity.end, entity.label


def _unlike(entity: StoredEntity, other: StoredEntity) -> tuple[bool, bool]:
    return other.state != entity.state, other.id != entity.id
