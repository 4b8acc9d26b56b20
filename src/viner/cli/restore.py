"""``viner restore``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from viner.cli.options import FILE, json_option
from viner.cli.projects import find_project, project_option, require_app
from viner.cli.streams import STANDARD
from viner.cli.terminal import echo_json


@click.command(short_help="Take a backup into a project without a store.")
@click.argument("source", type=FILE)
@project_option
@json_option
def restore(source: Path, project: Path | None, as_json: bool) -> None:
    """Take the backup SOURCE into a project that has no texts. Nothing is ever overwritten. `-` is stdin.

    \b
    Example:
      mv covid/viner.db covid/viner.db.broken
      viner restore covid-monday.backup --project covid
    """
    folder = find_project(project)
    require_app("restoring")
    from viner.annotation.sync import write_back
    from viner.errors import InputError
    from viner.store import Store

    with _file(source, folder.path) as file:
        if not file.is_file():
            raise InputError("there is no such file", where=file)
        url = folder.settings().database_url
        Store.restore_backup(file, url)
    with Store.open(url, create=False) as store:
        documents = store.counts().documents
        write_back(store, folder)
    if as_json:
        echo_json({"project": str(folder.path), "documents": documents})
    else:
        click.echo(f"{documents:,} documents restored into {folder.path}")


@contextmanager
def _file(source: Path, folder: Path) -> Iterator[Path]:
    """The file to read; what comes on stdin lies beside the project meanwhile."""
    if source != STANDARD:
        yield source
        return
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as place:
        copy = Path(place) / "stdin"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield copy
