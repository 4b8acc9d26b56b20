"""A lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import os
from pathlib import Path


class Lock:
    """A locked file. It goes when its folder goes.

    Args:
        path: The file, which is made if it is not there.

    Raises:
        BlockingIOError: If another process holds the lock.
        OSError: If the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        while True:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(self._file)
                # Who held it may have removed the folder after we opened the file: then we hold a lock on nothing.
                if path.exists() and os.path.samestat(os.fstat(self._file), path.stat()):
                    return
            except BaseException:
                os.close(self._file)
                raise
            os.close(self._file)

    def release(self) -> None:
        """Lets others have it."""
        os.close(self._file)


def _lock(file: int) -> None:
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            raise BlockingIOError from None
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
