"""One thing that was looked at, what was found, and the command that mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from viner.errors import VinerError

LEAST_FREE = 1 << 30
"""Bytes of free disk below which somebody is warned: a training writes about half of it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Args:
        name: What.
        good: Whether it is as it should be.
        said: What was found.
        mend: What to do where it is not good, as far as that is known.
    """

    name: str
    good: bool
    said: str
    mend: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def check(name: str, look: Callable[[], str], *, place: Path | None = None) -> Check:
    """Looks at one thing.

    Args:
        name: What it is.
        look: Says what it found, or raises an error that says what is wrong and what mends it.
        place: Where it looked, for errors of the file system that name no file.
    """
    try:
        return Check(name, True, look())
    except VinerError as error:
        said = error.message if error.where is None else f"{error.where}: {error.message}"
        return Check(name, False, said, error.hint)
    except OSError as error:
        return Check(name, False, f"{error.filename or place or name}: {error.strerror or error}")


def free_space(folder: Path, *, hint: str) -> str:
    """How much disk is free where a folder is, or will be.

    Args:
        folder: The folder; it need not be there yet.
        hint: What to do when it is too little.

    Raises:
        VinerError: If it is less than :data:`LEAST_FREE`.
    """
    import shutil

    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        raise VinerError(f"{free / 2**30:.1f} GiB free", where=folder, hint=hint)
    return f"{free / 2**30:,.1f} GiB free"
