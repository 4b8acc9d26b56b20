"""``viner erase``."""

from __future__ import annotations

from pathlib import Path

import click

from viner.cli.options import json_option
from viner.cli.projects import confirm, find_project, open_store, project_option
from viner.cli.terminal import echo_json


@click.command(short_help="Remove documents for good, with their history.")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@project_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def erase(ids: tuple[str, ...], project: Path | None, yes: bool, as_json: bool) -> None:
    """Remove documents with their texts, annotations, comments and history. Nobody can take it back.

    That something was erased, when and by whom stays on record, not what. Exports, backups and models made before are files
    of their own: remove them yourself.

    \b
    Example:
      viner erase --project covid notice-17 notice-18
    """
    with open_store(project) as store:
        from viner.studio.erasing import erase as erase_everywhere
        from viner.studio.runs import Runs

        store.check_known(ids)  # a misspelled id is told before anybody is asked
        confirm(f"Remove {len(ids)} document{'s' * (len(ids) != 1)} for good?", yes=yes)
        folder = find_project(project)
        erased = erase_everywhere(folder, store, Runs(folder, store), ids, who="local")
    if as_json:
        echo_json({"erased": erased.documents, "runs": list(erased.runs)})
    else:
        click.echo(f"{erased.documents:,} documents erased")
        if erased.runs:
            click.echo(f"Trainings that had them begin anew: {', '.join(erased.runs)}")
