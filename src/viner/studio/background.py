"""Processes beside the server that leave the processor to those who wait for it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path


def spawn(module: str, *arguments: str | Path, output: Path) -> subprocess.Popen[bytes]:
    """Starts ``python -m MODULE ARGUMENTS`` in a session of its own, so that neither Ctrl-C nor the server's end ends it.

    Args:
        module: The module; it should call :func:`yield_processor` first.
        *arguments: Its arguments.
        output: File to which what it prints is appended.

    Raises:
        OSError: If the process or the file cannot be made.
    """
    with output.open("ab") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return keep(child)


def keep(child: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Waits for a process in a thread: it leaves no zombie, and nobody who lets go of it complains that it is still running."""
    threading.Thread(target=child.wait, name=f"viner-child-{child.pid}", daemon=True).start()
    return child


def yield_processor() -> None:
    """Gives this process the lowest priority.

    It keeps all cores, since idle ones would help nobody: whoever is woken by a key takes a core from it at once. Linux weighs
    sessions against each other before it looks at the niceness within them, hence the second line.
    """
    with suppress(AttributeError, OSError):  # Windows has no niceness
        os.nice(19)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")
