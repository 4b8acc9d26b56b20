"""The group of verbs, and how a run ends: exit status and message of every error.

Exit status: 0 done, 1 input or run failed, 2 usage, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

import click

import viner
from viner.cli.lazy import LazyGroup
from viner.cli.standard import prepare_streams
from viner.errors import VinerError

# In the order of a first visit.
_VERBS = (
    "demo", "init", "import", "serve", "train", "search", "evaluate", "calibrate", "engine", "compare", "doubts", "curve",
    "predict", "redact", "publish", "models", "export", "accounts", "keys", "backup", "restore", "erase", "stats", "lint",
    "convert", "bench", "doctor",
)  # fmt: skip


@click.group(
    cls=LazyGroup,
    package="viner.cli",
    names=_VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(viner.__version__, prog_name="viner")
def cli() -> None:
    """From raw text to a named-entity app.

    \b
    Start here:
      viner demo                                  train on the bundled corpus and open the page
      viner init notices                          make a project of your own texts, to annotate in the browser
      viner train --train my.conll --out model    train on your own file
      viner predict model notes.txt               recognize entities, one JSON document a line
    """


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        args: The arguments after the program's name; None takes those of the process.

    Returns:
        The exit status.
    """
    prepare_streams()
    try:
        with _terminable():
            status = cli.main(args=None if args is None else list(args), prog_name="viner", standalone_mode=False)
            sys.stdout.flush()
    except VinerError as error:
        return _fail(error.message, where=error.where, hint=error.hint, status=error.exit_status)
    except _Terminated:
        return _fail("terminated", status=143)
    except click.Abort:
        return _fail("interrupted", status=130)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        # The reader left, as `| head` does: no message, and nothing more to flush at exit.
        _drop_output()
        return 1
    except OSError as error:
        if error.errno == errno.EBADF and error.filename is None:
            return _fail("a standard stream that is needed is closed", hint="Open it, or name a file", status=1)
        return _fail(error.strerror or str(error), where=error.filename, status=1)
    return status if isinstance(status, int) else 0


class _Terminated(BaseException):
    """SIGTERM came. Like an interrupt it passes what catches exceptions, and runs what cleans up."""


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Lets SIGTERM end the block as Ctrl-C does, so that nothing half-written stays; a second one ends the process at once."""
    handled = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not handled:
        yield
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise _Terminated

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _fail(message: str, *, status: int, where: str | None = None, hint: str | None = None) -> int:
    place = "" if where is None else f"{where}: "
    click.echo(f"{click.style('error:', fg='red')} {place}{message}", err=True)
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _drop_output()
    return status


def _drop_output() -> None:
    """Sends what stdout still holds nowhere: at exit, or when stdout is deleted, it would be an error once more."""
    try:
        number = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
    except (OSError, ValueError):
        sys.stdout = None
