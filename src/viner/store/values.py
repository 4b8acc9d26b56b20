"""The words that a store knows: what a document's status, an entity's state and a split can be, and how long things may be."""

from __future__ import annotations

from typing import Literal, get_args

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
