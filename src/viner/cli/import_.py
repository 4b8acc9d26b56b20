"""``viner import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.projects import find_project, open_store, project_option
from viner.cli.terminal import echo_json, progress
from viner.cli.texts import Texts, find_texts, read_documents

if TYPE_CHECKING:
    from viner.store import AddReport
    from viner.store.values import Split


@click.command("import", short_help="Take files into a project.")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@project_option
@format_option
@click.option("--split", type=click.Choice(["train", "dev", "test"]), help="Split of the new documents; drawn if not given.")
@click.option("--as-suggestions", is_flag=True, help="Take entities as suggestions, for people to accept.")
@click.option(
    "--on-duplicate",
    type=click.Choice(["refuse", "skip", "update"]),
    default="refuse",
    show_default=True,
    help="What to do with an id that is there.",
)
@click.option(
    "--new-labels",
    type=click.Choice(["refuse", "add"]),
    default="refuse",
    show_default=True,
    help="What to do with labels that the project does not have.",
)
@click.option("--whole", is_flag=True, help="Take each text file as one document, not each of its lines.")
@json_option
def import_(
    files: tuple[Path, ...],
    project: Path | None,
    format: str | None,
    read_options: dict[str, Any],
    split: Split | None,
    as_suggestions: bool,
    on_duplicate: Literal["refuse", "skip", "update"],
    new_labels: Literal["refuse", "add"],
    whole: bool,
    as_json: bool,
) -> None:
    """Take the documents of FILES into a project: all of them, or none if one cannot be read.

    Documents with entities come in as done, others wait to be annotated. A folder is taken with all that is in it, each
    text file as one document; otherwise a text file holds one document a line. `-` is stdin. The server may run meanwhile.

    Answers that visitors of a published app flagged as wrong come in as suggestions to review, those that are there already
    are passed over.

    \b
    Example:
      viner import notes.txt --project covid
      viner import old.conll --project covid --split train
      viner predict models/003 new.txt | viner import - --project covid --as-suggestions
      viner import flagged/feedback.jsonl --project covid
    """
    from viner.formats import Trail

    folder = find_project(project)
    texts = find_texts(files, whole=whole)
    tell_skipped(texts)
    trail = Trail()
    with open_store(project, create=True) as store, trail.followed():
        from viner.annotation.sync import sync, write_back

        sync(folder, store)  # types that somebody wrote into viner.toml count from here on
        report = store.add(
            progress(read_documents(texts, format, read_options, trail)),
            who="import",
            split=split,
            as_suggestions=as_suggestions,
            on_duplicate=on_duplicate,
            new_labels=new_labels,
        )
        if report.labels:
            write_back(store, folder)
    if as_json:
        echo_json({**report.to_dict(), "skipped_files": {str(path): why for path, why in texts.skipped.items()}})
    else:
        click.echo("\n".join(describe(report)))
        if report.withdrawn:
            click.echo(f"Erase them here, too: viner erase --project {folder.path} {' '.join(report.withdrawn)}")


def describe(report: AddReport) -> list[str]:
    """What an import did, in lines for people."""
    splits = ", ".join(f"{name} {count:,}" for name, count in report.splits.items() if count)
    lines = [f"{report.added:,} documents" + (f" ({splits})" if splits else "")]
    for count, what in (
        (report.updated, "documents updated"),
        (report.skipped, "documents skipped, which were there"),
        (report.entities, "entities"),
        (report.suggestions, "suggestions"),
    ):
        if count:
            lines.append(f"{count:,} {what}")
    if report.labels:
        lines.append(f"new types: {', '.join(report.labels)}")
    if report.withdrawn:
        lines.append(f"erased by their senders since, still in the project: {', '.join(report.withdrawn)}")
    return lines


def tell_skipped(texts: Texts, most: int = 20) -> None:
    """Lists on stderr the files that were skipped."""
    for path, reason in list(texts.skipped.items())[:most]:
        click.echo(f"skipped {path}: {reason}", err=True)
    if len(texts.skipped) > most:
        click.echo(f"skipped {len(texts.skipped) - most:,} more files", err=True)
