"""The folder beside an output in which a run keeps what it has done, and how it is told from any other folder."""

from __future__ import annotations

from pathlib import Path

PART = ".part"
"""What its name ends in."""
LOCK, RUN, JOURNAL, DOCUMENTS, ERRORS, NEW = (
    "lock", "run.json", "journal.json", "documents.jsonl", "errors.jsonl", "new.json",
)  # fmt: skip
DRAFT = "draft"
OURS = {LOCK, RUN, JOURNAL, DOCUMENTS, ERRORS, NEW}


def is_working(folder: Path) -> bool:
    """Whether a run works in a folder, or left there what it had done, whatever else somebody put there.

    One that cannot be looked into, or goes in this moment, is one: runs keep theirs to themselves.
    """
    if not folder.name.endswith(PART):
        return False
    try:
        return (folder / LOCK).is_file() and any((folder / name).is_file() for name in (RUN, JOURNAL, DOCUMENTS, NEW))
    except OSError:
        return True


def is_ours(folder: Path) -> bool:
    """Whether a folder holds what a run keeps, and nothing else."""
    return (
        folder.is_dir()
        and not folder.is_symlink()
        and all(path.name in OURS or path.name.lstrip(".").startswith(DRAFT) for path in folder.iterdir())
    )
