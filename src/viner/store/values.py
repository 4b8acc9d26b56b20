"""The words that a store knows: what a document's status, an entity's state and a split can be, and how long things may be."""

from __future__ import annotations

import re
from typing import Literal, get_args

from viner.rules.rules import DICTIONARY, PATTERN

Status = Literal["todo", "started", "done", "skipped"]
State = Literal["accepted", "suggested", "rejected"]
Split = Literal["train", "dev", "test"]
STATUSES: tuple[Status, ...] = get_args(Status)
STATES: tuple[State, ...] = get_args(State)
SPLITS: tuple[Split, ...] = get_args(Split)

LONGEST_ID = 64
"""Code points in the id of an operation, an entity or a comment."""
LONGEST_COMMENT = 10_000
"""Code points in a comment."""
LABEL_LIMIT = 200
"""Code points in a label, in the name of a source and in that of a person."""

_IMPORTED = "import: "
_MODEL = re.compile(r"model \S+")  # and no more: stores of earlier versions hold imported suggestions with a hash behind


def is_suggesters(source: str | None) -> bool:
    """Whether a suggestion of that source was made by the project's model or its rules, which replace what they said before."""
    return source is not None and (source in (DICTIONARY, PATTERN) or _MODEL.fullmatch(source) is not None)


def imported_source(source: str | None) -> str | None:
    """The source of a suggestion that is imported: it is not this project's model, or its rules, that made it."""
    return f"{_IMPORTED}{source}"[:LABEL_LIMIT] if is_suggesters(source) else source


def told_source(source: str | None) -> str | None:
    """The source as it was before :func:`imported_source`: what goes out again is what came in."""
    told = source and source.removeprefix(_IMPORTED)
    return told if is_suggesters(told) else source
