"""Which spans stand in an answer where those of rules and of a model meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from viner.document import Entity
from viner.rules.rules import DICTIONARY


def settle(
    length: int, model: Sequence[Entity], over: Iterable[Entity], under: Iterable[Entity], ranks: Mapping[str, int]
) -> list[Entity]:
    """The entities of an answer.

    1. Spans of rules over the model stand. Where some of them overlap, the longest does; of equally long ones the first in
       the text; of the same span a dictionary's before a pattern's, then the label that comes first.
    2. The model's entities stand, as it gave them, except those that overlap one of these.
    3. Spans of rules under the model stand where they overlap nothing that stands; among themselves as in 1.

    So a rule never overlaps another rule or the model, and the model's own entities overlap only where they did.

    Args:
        length: Code points of the text.
        model: The model's entities, in any order.
        over: Spans of rules that go over the model.
        under: Spans of rules that go under the model.
        ranks: For each label of a rule its rank in the schema.

    Returns:
        Entities in the order of the text, outer ones first.
    """
    taken = bytearray(length)
    kept = list(_placed(taken, over, ranks))
    spared = [entity for entity in model if _is_free(taken, entity)]
    for entity in spared:
        _take(taken, entity)
    kept += spared
    kept += _placed(taken, under, ranks)
    return sorted(kept, key=lambda entity: (entity.start, -entity.end))


def _placed(taken: bytearray, spans: Iterable[Entity], ranks: Mapping[str, int]) -> Iterator[Entity]:
    for entity in sorted(spans, key=lambda e: (e.start - e.end, e.start, e.source != DICTIONARY, ranks[e.label])):
        if _is_free(taken, entity):
            _take(taken, entity)
            yield entity


def _is_free(taken: bytearray, entity: Entity) -> bool:
    return taken.find(1, entity.start, entity.end) < 0


def _take(taken: bytearray, entity: Entity) -> None:
    taken[entity.start : entity.end] = b"\x01" * (entity.end - entity.start)
