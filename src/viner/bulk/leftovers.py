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


def is_ours(folder: Path) -> bool:
    """Whether a folder holds what a run keeps, and nothing else."""
    return (
        folder.is_dir()
        and not folder.is_symlink()
        and all(path.name in OURS or path.name.lstrip(".").startswith(DRAFT) for path in folder.iterdir())
    )
