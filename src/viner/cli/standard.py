"""The standard streams, in a state in which every verb can use them."""

from __future__ import annotations

import io
import os
import sys
from typing import IO

_CLOSED = {0: os.O_WRONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}
"""How the null device is opened in a closed stream's place: so that reading and writing fail, except on stderr."""


def prepare_streams() -> None:
    """Makes the standard streams fit for use.

    What an encoding cannot say, such as a file's name that is not UTF-8, is written as a backslash escape rather than ending
    the run, unless the environment asks for another way. A stream that the caller closed (``>&-``) gets one in its place
    whose use is an error of its own (``EBADF``), and nobody's file takes its number; messages without a stderr are dropped.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None and not _is_open(number):
            setattr(sys, name, _in_place_of_closed(number))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _in_place_of_closed(number: int) -> IO[str]:
    opened = os.open(os.devnull, _CLOSED[number])
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    # The numbers of standard streams are inherited by other programs, which would fall over a missing one as well.
    os.set_inheritable(number, True)
    mode = "r" if number == 0 else "w"
    return open(number, mode, encoding="utf-8", errors="backslashreplace" if number else None, closefd=False)
