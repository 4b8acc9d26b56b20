"""Choices of a training by name, from people and from files: whatever fields :class:`TrainingConfig` has."""

from __future__ import annotations

import json
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from viner.errors import InputError, UsageError
from viner.training.config import TrainingConfig

_NONE = "none"
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """What values a choice may have.

    Args:
        plain: Their type: bool, int, float, str or tuple.
        optional: Whether it may be None, which leaves it to viner.
        names: The only strings that it may be; empty where any.
    """

    plain: type
    optional: bool = False
    names: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it may be anywhere between two numbers."""
        return self.plain in (int, float)

    def __str__(self) -> str:
        told = {bool: "true or false", int: "a whole number", float: "a number", str: "a word", tuple: "a list of words"}
        text = " or ".join(self.names) if self.names else told[self.plain]
        return f"{text}, or {_NONE}" if self.optional else text


@cache
def kinds() -> Mapping[str, Kind]:
    """The kind of each field of :class:`TrainingConfig`, by name."""
    return {name: _kind(hint) for name, hint in typing.get_type_hints(TrainingConfig).items()}


def _kind(hint: Any) -> Kind:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (inner,) = (part for part in typing.get_args(hint) if part is not type(None))
        found = _kind(inner)
        return Kind(found.plain, optional=True, names=found.names)
    if typing.get_origin(hint) is Literal:
        return Kind(str, names=typing.get_args(hint))
    return Kind(typing.get_origin(hint) or hint)


def kind_of(name: str, *, where: str | Path | None = None) -> Kind:
    """The kind of a choice.

    Raises:
        UsageError: If there is no choice of that name.
    """
    if name not in kinds():
        raise UsageError(f"there is no choice {name!r}", where=where, hint=f"There are: {', '.join(kinds())}")
    return kinds()[name]


def parse_choice(name: str, text: str, *, where: str | Path | None = None) -> Any:
    """The value of a choice as somebody types it; ``none`` leaves it to viner.

    Raises:
        UsageError: If there is no such choice, or it cannot have values of that kind.
    """
    kind, text = kind_of(name, where=where), text.strip()
    if kind.optional and text.lower() == _NONE:
        return None
    value: Any = text
    if kind.plain is bool:
        value = _TRUTHS.get(text.lower(), text)
    elif kind.is_number:
        try:
            value = kind.plain(text)
        except ValueError:
            value = text
    elif kind.plain is tuple:
        value = tuple(part.strip() for part in text.split(",") if part.strip())
    return check_choice(name, value, where=where)


def check_choice(name: str, value: Any, *, where: str | Path | None = None) -> Any:
    """A value as the choice has it: a number without a fraction is one with it where that is meant, a list is a tuple.

    Raises:
        UsageError: If there is no such choice, or it cannot have values of that kind.
    """
    kind = kind_of(name, where=where)
    if value is None and kind.optional:
        return None
    if kind.plain is float and type(value) is int:
        value = float(value)
    if kind.plain is tuple and isinstance(value, list):
        value = tuple(value)
    fits = type(value) is kind.plain and (not kind.names or value in kind.names)
    if kind.plain is tuple:
        fits = fits and all(isinstance(part, str) for part in value)
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        shown = list(value) if isinstance(value, tuple) else value
        raise UsageError(f"{name} must be {kind}, not {json.dumps(shown, default=str, ensure_ascii=False)}", where=where)
    return value


def check_together(choices: Mapping[str, Any], *, where: str | Path | None = None) -> None:
    """Makes sure that a training can have these choices.

    Raises:
        UsageError: If a value is out of its range, or some of them exclude each other.
    """
    try:
        TrainingConfig(**choices)
    except UsageError as error:
        raise UsageError(error.message, where=where, hint=error.hint) from None


def read_choices(path: str | Path) -> dict[str, Any]:
    """The choices in a TOML file, such as the ``best.toml`` of a search.

    Raises:
        InputError: If it cannot be read.
        UsageError: If it holds what is no choice, or a value that one cannot have.
    """
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the choices cannot be read ({error})", where=path, hint="It is a TOML file with lines such as: dropout = 0.2"
        ) from error
    choices = {name: check_choice(name, value, where=path) for name, value in found.items()}
    check_together(choices, where=path)
    return choices


def choices_toml(choices: Mapping[str, Any], comment: str) -> str:
    """Choices as a TOML file; what is None is left out, since a file without it says the same.

    Args:
        choices: The values by name.
        comment: Stands above them, plain text.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    # A JSON string, number, truth or list of strings is one of TOML, too.
    lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in choices.items() if value is not None]
    return "\n".join(lines) + "\n"
