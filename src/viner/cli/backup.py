"""``viner backup``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import click

from viner.cli.options import FILE, json_option
from viner.cli.projects import find_project, open_store, project_option
from viner.cli.streams import STANDARD
from viner.cli.terminal import echo_json


@click.command(short_help="Copy a project's store to one file.")
@click.argument("out", type=FILE)
@project_option
@json_option
def backup(out: Path, project: Path | None, as_json: bool) -> None:
    """Copy texts, annotations, history and accounts of a project to the file OUT, which must not exist. `-` is stdout.

    People may go on annotating meanwhile. `viner restore` takes the file back.

    \b
    Example:
      viner backup --project covid covid-monday.backup
      viner backup --project covid - | ssh vault 'cat > covid-monday.backup'
    """
    from viner.errors import UsageError

    if out == STANDARD:
        if as_json:
            raise UsageError("--json reports on stdout, where the backup goes", hint="Write the backup to a file")
        if sys.stdout.isatty():
            raise UsageError("a backup is nothing for a terminal", hint="Give a file, or a pipe behind the -")
        _to_stdout(find_project(project).path)
        return
    if out.exists():
        raise UsageError("the file exists", where=out, hint="Give another name; a backup never replaces one")
    with open_store(project) as store:
        store.backup(out)
        documents = store.counts().documents
    size = out.stat().st_size
    if as_json:
        echo_json({"out": str(out), "documents": documents, "bytes": size})
    else:
        click.echo(f"{documents:,} documents, {size / 2**20:,.1f} MiB: {out}")


def _to_stdout(folder: Path) -> None:
    # Whole before its first byte is sent; beside the project, where there is room for it and only its owner reads.
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as place:
        copy = Path(place) / "backup"
        with open_store(folder) as store:
            store.backup(copy)
        with copy.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
