"""Values of a TOML file, read with their kind and range checked, so that an error names the file and the key."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viner.errors import InputError


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a TOML file.

    Args:
        data: Its keys and values.
        file: The file, for errors.
        name: The dotted name of the table within the file; empty for the file itself.
    """

    data: Mapping[str, Any]
    file: Path
    name: str

    def error(self, key: str, message: str, *, hint: str | None = None) -> InputError:
        """An error whose place is the file and the key."""
        return InputError(message, where=f"{self.file}: {self._path(key)}", hint=hint)

    def know(self, *keys: str) -> None:
        """Refuses keys other than these.

        Raises:
            InputError: If the table has another key; the hint names the one that may have been meant.
        """
        for key in self.data:
            if key not in keys:
                close = difflib.get_close_matches(key, keys, n=1)
                raise self.error(
                    key, "unknown key", hint=f"Did you mean '{close[0]}'?" if close else f"Known keys: {', '.join(keys)}"
                )

    def text(
        self, key: str, default: str | None = None, *, accept: re.Pattern[str] | None = None, hint: str | None = None
    ) -> str:
        """A text that is not empty; without a default it must be there."""
        value = self.data.get(key, default)
        if default is not None and value is default:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text" if key in self.data else "is missing", hint=hint)
        if accept is not None and not accept.fullmatch(value):
            raise self.error(key, f"{value!r} cannot be used", hint=hint)
        return value

    def inner_file(self, key: str, name: str) -> Path:
        """The file of a name that stands at a key, relative to the folder of this TOML file; links are followed.

        Raises:
            InputError: If it lies outside that folder.
        """
        folder = self.file.parent
        try:
            inside = Path(os.path.realpath(folder / name)).is_relative_to(os.path.realpath(folder))
        except ValueError:  # a null character
            raise self.error(key, f"{name!r} cannot be used") from None
        if not inside:
            raise self.error(
                key,
                f"{name!r} lies outside the project folder, and would be missing where the project is passed on",
                hint="Copy the file into the project folder, and name it relative to that",
            )
        return folder / name

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none of them empty; () if the key is missing."""
        values = self.data.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            raise self.error(key, "must be a list of texts, none of them empty")
        return tuple(values)

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """One of some texts."""
        value = self.data.get(key, default)
        if value not in choices:
            raise self.error(key, f"{value!r} is none of {', '.join(choices)}")
        return str(value)

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """A number in [least, most]."""
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.error(key, f"must be a number from {least:g} to {most:g}, not {value!r}")
        return value

    def integer(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number in [least, most]."""
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.error(key, f"must be a whole number from {least} to {most}, not {value!r}")
        return value

    def truth(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, f"must be true or false, not {value!r}")
        return value

    def table(self, key: str) -> Table:
        """A table within this one; an empty one if the key is missing."""
        value = self.data.get(key, {})
        if not isinstance(value, Mapping):
            raise self.error(key, f"must be a table, [{self._path(key)}]")
        return Table(value, self.file, self._path(key))

    def tables(self, key: str) -> Iterator[Table]:
        """The tables of an array of tables; none if the key is missing."""
        values = self.data.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
            raise self.error(key, f"must be tables, [[{self._path(key)}]]")
        for index, value in enumerate(values):
            yield Table(value, self.file, f"{self._path(key)}[{index}]")

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def reason(error: OSError | ValueError) -> str:
    """Why a file could not be read, in a few words."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
