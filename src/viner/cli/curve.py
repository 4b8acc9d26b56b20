"""``viner curve``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from viner.cli.options import (
    FILE,
    base_option,
    budget_option,
    choices_option,
    encoder_options,
    format_option,
    json_option,
    language_option,
    page_language,
)
from viner.cli.streams import check_output
from viner.cli.terminal import echo_json
from viner.cli.training_files import training_files, training_files_options

N = TypeVar("N", int, float)
_ENDINGS = (".html", ".json")


def _numbers(of: type[N]) -> Callable[[click.Context, click.Parameter, str], list[N]]:
    """Reads numbers between commas."""

    def read(context: click.Context, parameter: click.Parameter, given: str) -> list[N]:
        try:
            return [of(part) for part in given.split(",") if part.strip()]
        except ValueError:
            raise click.BadParameter(f"{given!r} are no numbers between commas") from None

    return read


@click.command(short_help="What more annotated documents would bring.")
@training_files_options
@click.option(
    "--out",
    "-o",
    type=FILE,
    required=True,
    multiple=True,
    help="What to write: a page (.html), or figures (.json), whose trainings another call need not repeat. May be repeated.",
)
@language_option
@click.option(
    "--shares",
    default="0.1,0.25,0.5,1",
    show_default=True,
    callback=_numbers(float),
    help="Shares of the documents to train on.",
)
@click.option("--seeds", default="1", show_default=True, callback=_numbers(int), help="A training on each share for each seed.")
@base_option
@choices_option
@click.option("--epochs", type=click.IntRange(min=1), help="Passes of each training over its documents, at most.")
@budget_option("Time of each training, at most")
@encoder_options
@format_option
@json_option
def curve(
    train: Path | None,
    dev: Path | None,
    project: Path | None,
    out: tuple[Path, ...],
    language: str | None,
    choices: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train on growing parts of the documents, each of which holds the smaller ones, and score all on the same dev set.

    The table says what each step gained, and whether the last doubling of the documents still helped. Several seeds tell luck
    from gain. Started again after a kill, the same command goes on. Models are not written.

    \b
    Example:
      viner curve --train train.conll --dev dev.conll --out curve.html
      viner curve --train train.conll --dev dev.conll --seeds 1,2,3 --out curve.json --out curve.html
      viner evaluate models/001 dev.conll --report errors.html --curve curve.json
    """
    from viner.errors import UsageError
    from viner.evaluation.curve import read_curve
    from viner.evaluation.page import curve_report, write_report
    from viner.formats.files import replacing
    from viner.workflow.choices import read_choices
    from viner.workflow.curve import learning_curve, remove_trainings

    for path in out:
        if path.suffix not in _ENDINGS:
            raise UsageError(
                f"the ending of {path.name!r} says nothing", where="--out", hint=f"Use one of: {', '.join(_ENDINGS)}"
            )
        if path.is_dir():
            raise UsageError("this is a folder, and a curve goes to a file", where=path, hint="Name another output with --out")
        if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise UsageError("nothing can be written there", where=path, hint="Name a file in a folder that is there")
        check_output(path, train, dev, choices)
    spoken = page_language(language, written=any(path.suffix == ".html" for path in out), example="--out curve.html")
    given = {name: value for name, value in options.items() if value is not None}
    if choices is not None:
        given = {**{name: value for name, value in read_choices(choices).items() if name != "seed"}, **given}
    earlier = [read_curve(path) for path in out if path.suffix == ".json" and path.is_file()]
    known = [run for curve in earlier for run in (*curve.kept, *curve.runs)]
    work = out[0].with_name(f"{out[0].name}.trainings")
    with training_files(train, dev, project, options) as files:
        found = learning_curve(files.train, work, dev=files.dev, schema=files.schema, known=known, **given)
    found = found.keeping(known)
    name = project.name if project is not None else files.train.name
    for path in out:
        if path.suffix == ".html":
            write_report(curve_report(found, file=name, language=spoken), path)
        else:
            with replacing(path) as sink:
                sink(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) + "\n")
    remove_trainings(work)
    if as_json:
        echo_json({**found.to_dict(), "out": [str(path) for path in out]})
        return
    click.echo(found.to_markdown())
    click.echo("\n".join(f"Written: {path}" for path in out))
