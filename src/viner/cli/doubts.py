"""``viner doubts``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.options import FILE, base_option, budget_option, format_option, json_option, language_option, page_language
from viner.cli.projects import find_project, has_store, open_store, project_option
from viner.cli.streams import check_output
from viner.cli.terminal import echo_json
from viner.errors import UsageError

if TYPE_CHECKING:
    from viner.document import Document
    from viner.project import Project
    from viner.store.values import Split
    from viner.workflow.doubts import Doubts

_SHOWN = 20
"""Doubts that the terminal shows."""
_ENDINGS = (".html", ".jsonl")


@click.command(short_help="Find annotations that are probably wrong.")
@click.argument("file", type=FILE, required=False)
@project_option
@click.option("--split", type=click.Choice(["train", "dev", "test"]), help="Split of a project; train and dev if not given.")
@click.option(
    "--out",
    "-o",
    type=FILE,
    help="What to write: a page (.html), or a line of JSON for each doubt (.jsonl); a project's go to its page Errors.",
)
@language_option
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True, help="Models that are trained.")
@base_option
@click.option("--epochs", type=click.IntRange(min=1), help="Passes of each training over its documents, at most.")
@budget_option("Time of each training, at most")
@click.option(
    "--seed", type=click.IntRange(min=0, max=2**32 - 1), default=0, show_default=True, help="Seed of folds and trainings."
)
@format_option
@json_option
def doubts(
    file: Path | None,
    project: Path | None,
    split: Split | None,
    out: Path | None,
    language: str | None,
    folds: int,
    seed: int,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
    **choices: Any,
) -> None:
    """Find annotations of FILE, or of a project, that are probably wrong, or missing, by cross-validation.

    The documents are divided into folds. For each fold a model is trained on the others, so that every document is judged by a
    model that did not learn from it. What is doubted is written with its context and its place: look at it, and decide. It
    takes as many trainings as there are folds; started again after a kill, the same command goes on.

    Of a project, given with --project or as the current folder, the documents of train and dev that are done are judged. The
    page Errors of its console lists the doubts until they are settled or put aside; --out writes them to a file instead.

    \b
    Example:
      viner doubts train.conll --out doubts.html
      viner doubts train.jsonl --out doubts.jsonl --folds 10 --budget 20m
      viner doubts --project covid
    """
    from viner.workflow.doubts import find_doubts, remove_models

    if out is not None and out.suffix not in _ENDINGS:
        raise UsageError(f"the ending of {out.name!r} says nothing", where="--out", hint=f"Use one of: {', '.join(_ENDINGS)}")
    if out is not None and out.is_dir():
        raise UsageError("this is a folder, and doubts go to a file", where=out, hint="Name another output with --out")
    if file is not None and (project or split) is not None:
        raise UsageError("--project and --split go without FILE", hint="Give a file, or a project")
    if file is None and (format or read_options):
        raise UsageError("--format and --option go with FILE", hint="A project knows how its documents are kept")
    spoken = page_language(language, written=out is not None and out.suffix == ".html", example="--out doubts.html")
    check_output(out, file)
    given = {"folds": folds, "seed": seed, **{name: value for name, value in choices.items() if value is not None}}
    home = None if file is not None else find_project(project)
    if out is None:
        found = _for_the_console(home, split, given)
        place = "on the page Errors of: viner serve" + ("" if project is None else f" --project {project}")
    else:
        work, place = out.with_name(f"{out.name}.folds"), str(out)
        if home is None:
            assert file is not None
            name, found = file.name, find_doubts(file, work, format=format, read_options=read_options, **given)
        else:
            name, found = home.path.resolve().name, _in_project(home, split, work, given)
        _write(found, out, name, spoken)
        remove_models(work)
    if as_json:
        echo_json({**found.to_dict(), **({} if out is None else {"out": str(out)})})
        return
    for doubt in found.doubts[:_SHOWN]:
        click.echo(str(doubt))
    click.echo(f"{found.summary()}\nAll of them, in context: {place}")


def _write(found: Doubts, out: Path, name: str, language: str) -> None:
    from viner.evaluation.messages import error_messages
    from viner.evaluation.page import doubt_report
    from viner.formats.files import replacing

    with replacing(out) as sink:
        if out.suffix == ".html":
            told = found.summary(error_messages(language))
            sink(doubt_report(found.doubts, file=name, told=told, language=language))
        else:
            sink("".join(doubt.to_json() + "\n" for doubt in found.doubts))


def _for_the_console(project: Project | None, split: Split | None, choices: dict[str, Any]) -> Doubts:
    """Finds doubts, and leaves them in the project, which must have a console."""
    if project is None:
        raise UsageError("nothing says where the doubts go", hint="Give --out doubts.html, or .jsonl")
    if not has_store(project):
        raise UsageError(
            "nothing says where the doubts go", hint="Give --out doubts.html, or .jsonl; a project with a store needs none"
        )
    from viner.studio.doubts import doubting
    from viner.workflow.doubts import remove_models

    with doubting(project) as work:
        found = _in_project(project, split, work, choices, keep=True)
        remove_models(work)
        return found


def _in_project(project: Project, split: Split | None, work: Path, choices: dict[str, Any], *, keep: bool = False) -> Doubts:
    """What is found in a project but for what was put aside in its console, which gets all of it to ``keep``."""
    from viner.workflow.doubts import find_doubts_in

    if not has_store(project):
        return find_doubts_in(_done(project, split), work, where=project.path, **choices)
    from viner.studio.doubts import without_aside, write_doubts

    with open_store(project.path) as store:
        _, version = store.schema()
    found = find_doubts_in(_done(project, split), work, where=project.path, **choices)
    if keep:
        write_doubts(project, found.doubts, version)
    with open_store(project.path) as store:
        return replace(found, doubts=tuple(without_aside(project, store, found.doubts, version)))


def _done(project: Project, split: Split | None) -> list[Document]:
    """The documents of a project whose annotation is done: of a split, or of train and dev."""
    splits: tuple[Split, ...] = (split,) if split else ("train", "dev")
    if not has_store(project):
        from viner.formats import read

        files = project.training_files()
        return [document for name in splits if name in files for document in read(files[name], "jsonl")]
    from viner.store import Filter

    with open_store(project.path) as store:
        return [document.with_(suggestions=None) for document in store.export(Filter(splits=splits, statuses=("done",)))]
