"""Names of what a process has open already: ``/dev/stdout`` and the like, which may lead to an ordinary file.

Where a shell sends standard output or standard error to a file, such a name leads to that file, and whoever replaced the file
would lose what others wrote to it, and all that is still to come.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from typing import NamedTuple

_OPEN = re.compile(r"(?:/dev|/proc/(?P<process>\d+)(?:/task/\d+)?)/fd/(?P<number>\d+)")
_MOST_LINKS = 40


class FileId(NamedTuple):
    """Tells whether two names, or a name and something open, are of the same file."""

    device: int
    number: int

    @classmethod
    def of(cls, file: str | os.PathLike[str] | int) -> FileId | None:
        """That of a regular file, from its name or its descriptor; None where there is none."""
        with contextlib.suppress(OSError, ValueError):
            status = os.stat(file)  # noqa: PTH116  (a number, or a name)
            if stat.S_ISREG(status.st_mode):
                return cls(status.st_dev, status.st_ino)
        return None


def descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """What this process has open under a name such as ``/dev/stderr`` or ``/dev/fd/3``; None for any other name."""
    name = os.path.abspath(path)  # noqa: PTH100  (links are followed one by one, up to the one that is a descriptor)
    for _ in range(_MOST_LINKS):
        folder, last = os.path.split(name)
        place = os.path.join(os.path.realpath(folder), last)  # noqa: PTH118
        if match := _OPEN.fullmatch(place):
            return int(match["number"]) if match["process"] in (None, str(os.getpid())) else None
        try:
            name = os.path.join(folder, os.readlink(place))  # noqa: PTH115, PTH118
        except (OSError, ValueError):  # no link
            return None
    return None


def standard_output() -> int | None:
    """The descriptor of standard output; None where it has none, such as in a notebook."""
    try:
        return sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        return None
