"""``viner backup``."""

from __future__ import annotations

from pathlib import Path

import click

from viner.cli.options import FILE, json_option
from viner.cli.projects import open_store, project_option
from viner.cli.terminal import echo_json


@click.command(short_help="Copy a project's store to one file.")
@click.argument("out", type=FILE)
@project_option
@json_option
def backup(out: Path, project: Path | None, as_json: bool) -> None:
    """Copy texts, annotations, history and accounts of a project to the file OUT, which must not exist.

    People may go on annotating meanwhile. `viner restore` takes the file back.

    \b
    Example:
      viner backup --project covid covid-monday.backup
    """
    from viner.errors import UsageError

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
