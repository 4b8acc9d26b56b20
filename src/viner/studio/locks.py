"""Files by which processes keep out of each other's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from viner.errors import VinerError


@contextmanager
def held(lock: Path, problem: VinerError, *, wait: float = 0) -> Iterator[None]:
    """Holds a lock to the end of the block or of the process.

    Args:
        lock: Its file.
        problem: Is raised where another process holds it for longer than ``wait``.
        wait: Seconds.
    """
    file = FileLock(lock)
    try:
        file.acquire(timeout=wait)
    except Timeout:
        raise problem from None
    try:
        yield
    finally:
        file.release()
