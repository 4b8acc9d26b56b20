"""Names of files as people give them."""

from __future__ import annotations

import contextlib
from pathlib import Path


def expanded(name: str | Path) -> Path:
    """The path of a name, in which ``~`` and ``~user`` are home folders.

    A name that begins with ``~`` and no user's name is that of a file: ``~$notes.docx`` is what an office program leaves.
    """
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # there is no such user
        return path.expanduser()
    return path
