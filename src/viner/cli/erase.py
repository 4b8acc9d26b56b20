"""``viner erase``."""

from __future__ import annotations

from pathlib import Path

import click

from viner.cli.options import FILE, json_option
from viner.cli.projects import confirm, find_project, open_store, project_option, require_app
from viner.cli.terminal import echo_json
from viner.errors import UsageError
from viner.paths import expanded


@click.command(short_help="Remove documents for good, with their history.")
@click.argument("ids", nargs=-1, metavar="ID...")
@project_option
@click.option(
    "--feedback",
    type=FILE,
    metavar="DIR",
    help="Erase flagged answers that `viner serve MODEL --feedback DIR` keeps: those of the receipts given, or all.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def erase(ids: tuple[str, ...], project: Path | None, feedback: Path | None, yes: bool, as_json: bool) -> None:
    """Remove documents with their texts, annotations, comments and history. Nobody can take it back.

    That something was erased, when and by whom stays on record, not what. Exports, backups and models made before are files
    of their own: remove them yourself.

    \b
    Example:
      viner erase --project covid notice-17 notice-18
      viner erase --feedback flagged 3f2a9c0d81b64e5fa7c2d90b1e6f4a55
    """
    if feedback is not None:
        if project is not None:
            raise UsageError("--feedback and --project exclude each other", hint="Erase in one, then in the other")
        _erase_flagged(feedback, ids, yes=yes, as_json=as_json)
        return
    if not ids:
        raise UsageError("which documents? No id is given", hint="Give the ids of the documents")
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


def _erase_flagged(folder: Path, receipts: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    """Erases flagged answers where they are collected; the app that collects them may run meanwhile."""
    require_app("collecting flagged answers")
    from viner.errors import InputError
    from viner.feedback import FeedbackBox, read_receipt

    box = FeedbackBox(expanded(folder))
    if not box.path.is_file():
        raise InputError("there are no flagged answers", where=folder, hint="Give the folder of: viner serve MODEL --feedback")
    count = len(receipts) or len(box)
    confirm(f"Erase {count:,} flagged answer{'s' * (count != 1)} for good?", yes=yes)
    if receipts:
        for receipt in receipts:
            box.erase(read_receipt(receipt))
    else:
        count = box.erase_all()
    if as_json:
        echo_json({"erased": count})
    else:
        click.echo(f"{count:,} flagged answers erased")
