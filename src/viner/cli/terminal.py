"""What verbs write: JSON for scripts, progress for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import click

T = TypeVar("T")


def echo_json(value: Any) -> None:
    """One JSON value on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def tell(step: str) -> None:
    """Says on stderr what is done next, when that is a terminal."""
    if sys.stderr.isatty():
        click.echo(f"{step} ...", err=True)


def progress(items: Iterable[T], unit: str = "documents") -> Iterator[T]:
    """Passes items through, with a progress bar on stderr when that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, unit=f" {unit}", dynamic_ncols=True)
