"""What verbs write: JSON for scripts, progress for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

T = TypeVar("T")


def echo_json(value: Any) -> None:
    """One JSON value on stdout, in ASCII where that is not UTF-8: JSON has escapes for all else."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    click.echo(json.dumps(value, ensure_ascii=plain, indent=2))


def tell(step: str) -> None:
    """Says on stderr what is done next, when that is a terminal."""
    if sys.stderr.isatty():
        click.echo(f"{step} ...", err=True)


def echo_successor(made: Path | None, model: Path, *, activated: bool, card_kept: bool, what: str) -> None:
    """Says what else became of a model that was made from another one.

    Args:
        made: Its folder.
        model: The folder that it was made from.
        activated: Whether it now recognizes for its project.
        card_kept: Whether its card is an edited one.
        what: What that card may tell of the model before.
    """
    if activated and made is not None:
        project = made.parent.parent
        click.echo(f"It recognizes from now on. Back: viner models {project} --activate {model.name}")
    if card_kept:
        click.echo(f"The model card was edited, so it stays as it is: what it says about {what} before.")


def progress(items: Iterable[T], unit: str = "documents") -> Iterator[T]:
    """Passes items through, with a progress bar on stderr when that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, unit=f" {unit}", dynamic_ncols=True)
