"""What every kind of publishing tells of the folder that it made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def in_words(files: Mapping[str, int]) -> str:
    """How many files there are and how large, for people."""
    return f"{len(files)} files, {sum(files.values()) / 1e6:,.1f} MB"


def in_json(folder: Path | None, files: Mapping[str, int]) -> dict[str, Any]:
    """The same for programs: ``{"folder", "files", "bytes"}``; the folder is None where it was only uploaded."""
    return {"folder": None if folder is None else str(folder), "files": dict(files), "bytes": sum(files.values())}
