"""Rules in ``viner.toml`` follow their labels: through renames and merges, and back again where one is undone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from viner.annotation.label_map import Step
from viner.project.rules import labeled_rules
from viner.store.preferences import read_setting, write_setting

_MOVES = "rules.moved."
"""With a version of the schema: the key of what became of the labels of rules with it."""

Moves = dict[str, list[list[str]]]
"""Old and new labels by the mark of the rule. Equal rules of different labels have one mark."""


@dataclass(frozen=True, slots=True)
class Following:
    """Where rules go.

    Args:
        labels: The label of each rule today, in the order of :func:`viner.project.rules.labeled_rules`.
        moves: By the version of the schema that led there, which rules got another label.
    """

    labels: list[str]
    moves: dict[int, Moves] = field(default_factory=dict)


def follow_rules(connection: Connection, steps: Iterable[Step], data: Mapping[str, Any]) -> Following:
    """Follows the labels of the rules in a ``viner.toml``.

    A rule whose label was deleted or split keeps it: no single label follows.

    Args:
        connection: The connection to the store.
        steps: The versions of the schema since the one that the rules are of.
        data: The content of the file.
    """
    rules = [(_mark(kind, rule), str(rule["label"])) for kind, rule in labeled_rules(data)]
    moves: dict[int, Moves] = {}
    for step in steps:
        # A merge leaves nothing in the file that tells whose rule one was, so what is undone is looked up.
        undone = {} if step.undoes is None else moves.get(step.undoes) or read_setting(connection, f"{_MOVES}{step.undoes}")
        back = {mark: list(pairs) for mark, pairs in (undone or {}).items()}
        made: Moves = {}
        for place, (mark, label) in enumerate(rules):
            to = _taken_back(back.get(mark, []), label) or _followed(step, label)
            if to is not None and to != label and to in step.schema.entity_labels:
                made.setdefault(mark, []).append([label, to])
                rules[place] = mark, to
        if made:
            moves[step.version] = made
    return Following([label for _, label in rules], moves)


def note_moves(connection: Connection, following: Following) -> None:
    """Remembers which rules got another label, for when the change is undone."""
    for version, moves in following.moves.items():
        write_setting(connection, f"{_MOVES}{version}", moves)


def _taken_back(pairs: list[list[str]], label: str) -> str | None:
    """The label that a rule had before the change that is undone; each pair stands for one rule."""
    for pair in pairs:
        old, new = pair
        if new == label:
            pairs.remove(pair)
            return old
    return None


def _followed(step: Step, label: str) -> str | None:
    if not any(layer.name == step.layer and layer.kind == "entities" for layer in step.schema):
        return None
    follower = step.moves.get(label)
    return None if follower is None else follower.label


def _mark(kind: str, rule: Mapping[str, Any]) -> str:
    """What makes a rule that rule, whatever its label: what it finds. Settings beside may change meanwhile."""
    found = [kind, *(rule.get(key) for key in ("pattern", "file", "terms"))]
    return hashlib.sha256(json.dumps(found, ensure_ascii=False, default=str).encode()).hexdigest()[:16]
