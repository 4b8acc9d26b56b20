"""What the kinds that can be uploaded share: the options, and how an interrupted upload ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def push_options(function: F) -> F:
    """``--push``, ``--public`` and ``--force``."""
    for option in (
        click.option("--force", is_flag=True, help="Replace what viner published there before, or what the repository holds."),
        click.option("--public", is_flag=True, help="With --push: let everybody see it."),
        click.option("--push", is_flag=True, help="Upload it, with the Hub's own login."),
    ):
        function = option(function)
    return function


@contextlib.contextmanager
def uploading(really: bool) -> Iterator[None]:
    """A word for who interrupts an upload.

    Args:
        really: Whether something is uploaded at all.
    """
    try:
        yield
    except KeyboardInterrupt:
        if really:
            click.echo("The repository shows all of it or nothing. The same command goes on where it stopped.", err=True)
        raise
