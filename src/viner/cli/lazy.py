"""A group of commands whose modules are imported when somebody asks for them."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Each command is that of its name in the module of its name, with an underscore where the name is a word of Python.

    Args:
        args: As for :class:`click.Group`.
        package: Where the modules are.
        names: The commands, in the order in which help lists them.
        kwargs: As for :class:`click.Group`.
    """

    def __init__(self, *args: Any, package: str, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._names = tuple(names)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None if there is none."""
        if cmd_name not in self._names:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(f"{self._package}.{name}"), name)
        return command
