"""Documents in from files or stdin, documents out to a file or stdout, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import click

from viner.cli.terminal import echo_json
from viner.document import Document
from viner.errors import UsageError
from viner.paths import expanded

STANDARD = Path("-")
"""The name that stands for stdin or stdout."""


def read_all(paths: Iterable[Path], format: str | None = None, options: Mapping[str, Any] | None = None) -> Iterator[Document]:
    """The documents of several files in order.

    Args:
        paths: Files; ``-`` is stdin.
        format: Name of their format; None finds it out for each file.
        options: Options of that format.

    Raises:
        InputError: If a file cannot be read; ``where`` is ``file:line``.
    """
    from viner.formats import read

    for path in paths:
        yield from read(path, format, **(options or {}))


def comes_once(file: Path) -> bool:
    """Whether what is read cannot be read a second time: standard input, a pipe (``<(zcat a.gz)``), a terminal."""
    from viner.formats.files import is_special

    return file == STANDARD or (is_special(file) and not file.is_dir())


def check_output(output: Path | None, *sources: str | Path | Literal[False] | None) -> None:
    """Makes sure that an output takes the place of nothing that the command reads.

    Args:
        output: A file to be written, or ``-``, which may be sent to a file; None is none.
        sources: What is read: files, projects, of which settings and store stay, and model folders, in which nothing is
            written; None, False, ``-`` and what is not there count for nothing.

    Raises:
        UsageError: If the output is one of the files, or lies in a model folder.
    """
    if output is None:
        return
    from viner.formats.descriptors import FileId
    from viner.formats.files import real_path, written_straight

    straight = written_straight(output)
    place = None if output == STANDARD else real_path(expanded(output))
    for source in sources:
        if not source:
            continue
        if straight is not None and straight == FileId.of(0 if str(source) == str(STANDARD) else expanded(source)):
            raise UsageError("the command reads this file and would write it", where=source, hint="Name another output")
        if place is None or str(source) == str(STANDARD):
            continue
        path = real_path(expanded(source))
        kept = [path / "viner.toml", *path.glob("*.db*")] if (path / "viner.toml").is_file() else [path]
        if place in kept and not place.is_dir():
            raise UsageError("the command reads this file and would write it", where=output, hint="Name another output")
        if path in place.parents and (path / "viner.json").is_file():
            raise UsageError("this lies in the model folder, which stays as it is", where=output, hint="Name another output")


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
    from viner.formats import write

    if path == STANDARD:
        if as_json:
            raise UsageError("--json reports on stdout, where the documents go", hint="Write the documents to a file")
        format = format or "jsonl"
    report = write(documents, path, format)
    if as_json:
        echo_json({"out": str(path), **report.to_dict()})
    elif path != STANDARD or report.lost:
        click.echo(str(report), err=True)
