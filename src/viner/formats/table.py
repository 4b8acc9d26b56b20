"""What tables have in common: one column holds the text, one perhaps the id, and all others go to ``meta``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viner.errors import FormatError, InputError

TEXT = "text"
ID = "id"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row the text and the id are.

    Args:
        names: Names of all columns, each once.
        text: Position of the text.
        id: Position of the id; None if there is none.
    """

    names: tuple[str, ...]
    text: int
    id: int | None


def find_columns(
    names: Sequence[str], text_column: str | int | None, id_column: str | int | None, *, where: str, numbered: bool = False
) -> Columns:
    """The columns of a table.

    Args:
        names: As the table has them.
        text_column: The name of one, or its number from 1; None takes the one called "text", or the only one.
        id_column: The same for the id; None takes the one called "id", if there is one.
        where: The place of the names, for errors.
        numbered: The table has no names, only numbers.

    Raises:
        InputError: If a column is not there or there twice, or nothing says which one holds the text.
    """
    for name in names:
        if list(names).count(name) > 1:
            raise FormatError(f"two columns are called {name!r}", where=where, hint="Give each column a name of its own")
    if text_column is None:
        if TEXT in names and not numbered:
            text_column = TEXT
        elif len(names) == 1 and numbered:
            text_column = 1
        else:
            raise FormatError(
                "nothing says which column holds the text",
                where=where,
                hint=f"Name it: --text-column {names[-1] if names else 'NAME'}, or --option text_column=…. {_listed(names)}",
            )
    text = _position(names, text_column, where)
    if id_column is not None:
        return Columns(tuple(names), text, _position(names, id_column, where))
    found = names.index(ID) if ID in names and not numbered else None
    return Columns(tuple(names), text, None if found == text else found)


def _position(names: Sequence[str], column: str | int, where: str) -> int:
    if column in names:
        return list(names).index(str(column))
    if str(column).isdecimal() and 1 <= int(column) <= len(names):
        return int(column) - 1
    raise InputError(f"there is no column {column!r}", where=where, hint=_listed(names))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(empty)" for name in names[:50])
    return f"Columns: {shown or 'none'}" + (", …" if len(names) > 50 else "")
