"""Documents in from files or stdin, documents out to a file or stdout, one at a time."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from viner.cli.terminal import echo_json
from viner.document import Document
from viner.errors import FormatError, InputError, UsageError

STANDARD = Path("-")
"""The name that stands for stdin or stdout."""


def read_all(paths: Iterable[Path], format: str | None = None, *, whole: bool = False) -> Iterator[Document]:
    """The documents of several files in order.

    Args:
        paths: Files; ``-`` is stdin.
        format: Name of their format; None finds it out from each file. From stdin: text, or jsonl when it starts with ``{``.
        whole: Take each text file as one document.

    Raises:
        InputError: If a file cannot be read; ``where`` is ``file:line``.
    """
    for path in paths:
        if whole:
            yield Document(_whole_text(path), id=None if path == STANDARD else path.name)
            continue
        if path == STANDARD and format in (None, "text", "jsonl"):
            yield from _read_lines(sys.stdin.buffer, format)
            continue
        from viner.formats import read

        if path != STANDARD:
            yield from read(path, format)
        else:
            with tempfile.TemporaryDirectory(prefix="viner-") as folder:
                copy = Path(folder) / "stdin"
                with copy.open("wb") as file:
                    shutil.copyfileobj(sys.stdin.buffer, file)
                yield from read(copy, format)


def write_out(documents: Iterable[Document], path: Path, format: str | None = None, *, as_json: bool = False) -> None:
    """Writes documents as they come, and reports how many and what the format could not hold.

    Args:
        documents: What to write.
        path: The file, which appears when it is complete; ``-`` is stdout.
        format: Name of the format; None takes the one that the extension names, or jsonl on stdout.
        as_json: Report as JSON on stdout instead of a sentence on stderr.

    Raises:
        UsageError: If stdout is asked for twice, for the documents and for the report.
    """
    if path == STANDARD:
        if as_json:
            raise UsageError("--json reports on stdout, where the documents go", hint="Name a file with --out")
        if format in (None, "jsonl"):
            for document in documents:
                # Line by line, so that the next program in the pipe sees each answer at once.
                click.echo(document.to_json())
            return
        from viner.formats import write

        with tempfile.TemporaryDirectory(prefix="viner-") as folder:
            copy = Path(folder) / "stdout"
            report = write(documents, copy, format)
            with copy.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    else:
        from viner.formats import write

        report = write(documents, path, format)
    if as_json:
        echo_json({"out": str(path), **report.to_dict()})
    else:
        click.echo(str(report), err=True)


def _whole_text(path: Path) -> str:
    data = sys.stdin.buffer.read() if path == STANDARD else path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _not_utf8(f"{'<stdin>' if path == STANDARD else path}:{line}") from None


def _read_lines(lines: Iterable[bytes], format: str | None) -> Iterator[Document]:
    """Documents of a pipe, each as soon as its line is there. Blank lines are no documents."""
    import json

    for number, data in enumerate(lines, start=1):
        where = f"<stdin>:{number}"
        try:
            line = data.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise _not_utf8(where) from None
        if not line.strip():
            continue
        format = format or ("jsonl" if line.lstrip().startswith("{") else "text")
        if format == "text":
            yield Document(line)
            continue
        try:
            yield Document.from_dict(json.loads(line))
        except json.JSONDecodeError as error:
            raise FormatError(f"not JSON: {error.msg} at column {error.colno}", where=where) from None
        except InputError as error:
            raise FormatError(f"{error.where}: {error.message}", where=where, hint=error.hint) from None


def _not_utf8(where: str) -> FormatError:
    return FormatError(
        "the text is not UTF-8", where=where, hint="Convert it first, for example with: iconv -f CP1258 -t UTF-8"
    )
