"""Folders that take their place as a whole: written beside it, on the disk, readable, and renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from viner.paths import umask


@contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """An empty folder beside the one to be, to fill and move to its place; what is left of it at the end is removed.

    It is hidden and named after its target. The folders above are made if they are missing.

    Args:
        target: The folder to be.

    Raises:
        OSError: On entering, if nothing can be written there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def settle(draft: Path, target: Path, *, private: Collection[str] = ()) -> None:
    """Puts a finished folder in the place of its target, which another folder may hold until then.

    What was there is gone afterwards; if the new folder cannot take the place, or somebody interrupts, it is as it was.

    Args:
        draft: The folder, on the same file system as the target.
        target: Where it goes.
        private: Names of files in it that keep the permissions they have.

    Raises:
        OSError: If something cannot be written to the disk or renamed.
    """
    _open_to_readers(draft, {draft / name for name in private})
    for path in draft.rglob("*"):
        flush(path)
    old = Path(f"{draft}-old")
    try:
        if target.exists():
            target.rename(old)
        draft.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
    flush(target.parent)


def _open_to_readers(folder: Path, private: Collection[Path]) -> None:
    """Gives files and folders the usual permissions: temporary folders and safetensors' files are for their owner only."""
    mask = umask()
    for path in (folder, *folder.rglob("*")):
        if path not in private:
            path.chmod((0o777 if path.is_dir() else 0o666) & ~mask)


def flush(path: Path) -> None:
    """Makes sure that a file, or what a folder lists, is on the disk."""
    if os.name == "nt":
        return  # Windows cannot open folders, and flushes files on closing
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
