"""``viner export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from viner.cli.options import FILE, json_option
from viner.cli.projects import find_project, open_store, project_option
from viner.cli.streams import check_output, write_out
from viner.cli.terminal import progress

if TYPE_CHECKING:
    from viner.store.values import Split, Status


@click.command(short_help="Write the documents of a project to a file.")
@click.argument("out", type=FILE, default=Path("-"))
@project_option
@click.option("--split", type=click.Choice(["train", "dev", "test"]), help="Only documents of this split.")
@click.option("--status", type=click.Choice(["todo", "started", "done", "skipped"]), help="Only documents of this status.")
@click.option("--to", "--format", "to", metavar="NAME", help="Format of OUT; its extension says so if not given, else jsonl.")
@json_option
def export(out: Path, project: Path | None, split: Split | None, status: Status | None, to: str | None, as_json: bool) -> None:
    """Write the documents of a project to OUT, in the order of import, and say what that format could not hold.

    OUT is stdout if not given, and appears when it is complete. What people accepted is in `entities`, what still waits
    in `suggestions`. The server may run meanwhile.

    \b
    Example:
      viner export --project covid all.jsonl
      viner export --project covid --split test --status done test.conll
      viner export --project covid | jq .id
    """
    from viner.store import Filter

    home = find_project(project).path
    check_output(out, home)
    with open_store(project) as store:
        documents = store.export(Filter(splits=(split,) if split else None, statuses=(status,) if status else None))
        write_out(progress(documents), out, to, as_json=as_json)
