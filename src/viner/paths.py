"""Names of files as people give them, and what others may do with new ones."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

_UMASK = re.compile(r"^Umask:\s*([0-7]+)$", re.MULTILINE)


def expanded(name: str | Path) -> Path:
    """The path of a name, in which ``~`` and ``~user`` are home folders.

    A name that begins with ``~`` and no user's name is that of a file: ``~$notes.docx`` is what an office program leaves.
    """
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # there is no such user
        return path.expanduser()
    return path


def umask() -> int:
    """The permissions that new files do without. Asked for without changing it where that is possible.

    While it is changed, what other threads create may be written by anybody.
    """
    with contextlib.suppress(OSError):
        if found := _UMASK.search(Path("/proc/self/status").read_text(encoding="ascii", errors="replace")):
            return int(found[1], 8)
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
