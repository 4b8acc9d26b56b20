"""``viner doubts``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, budget_option, format_option, json_option
from viner.cli.terminal import echo_json

_SHOWN = 20
"""Doubts that the terminal shows."""
_ENDINGS = (".html", ".jsonl")


@click.command(short_help="Find annotations that are probably wrong.")
@click.argument("file", type=FILE)
@click.option(
    "--out", "-o", type=FILE, required=True, help="What to write: a page (.html), or a line of JSON for each doubt (.jsonl)."
)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True, help="Models that are trained.")
@click.option("--base", metavar="ID|DIR", help="Encoder from the Hub or a folder; the bundled one if not given.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes of each training over its documents, at most.")
@budget_option("Time of each training, at most")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of folds and trainings.")
@format_option
@json_option
def doubts(
    file: Path,
    out: Path,
    folds: int,
    seed: int,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
    **choices: Any,
) -> None:
    """Find annotations of FILE that are probably wrong, or missing, by cross-validation.

    The documents are divided into folds. For each fold a model is trained on the others, so that every document is judged by a
    model that did not learn from it. What is doubted is written with its context and its place: look at it, and decide. It
    takes as many trainings as there are folds; started again after a kill, the same command goes on.

    \b
    Example:
      viner doubts train.conll --out doubts.html
      viner doubts train.jsonl --out doubts.jsonl --folds 10 --budget 20m
    """
    from viner.errors import UsageError
    from viner.evaluation.page import doubt_report
    from viner.formats.files import replacing
    from viner.workflow.doubts import find_doubts

    if out.suffix not in _ENDINGS:
        raise UsageError(f"the ending of {out.name!r} says nothing", where="--out", hint=f"Use one of: {', '.join(_ENDINGS)}")
    found = find_doubts(
        file,
        out.with_name(f"{out.name}.folds"),
        folds=folds,
        seed=seed,
        format=format,
        read_options=read_options,
        **{name: value for name, value in choices.items() if value is not None},
    )
    with replacing(out) as sink:
        if out.suffix == ".html":
            sink(doubt_report(found.doubts, file=file.name, told=found.summary()))
        else:
            sink("".join(doubt.to_json() + "\n" for doubt in found.doubts))
    if as_json:
        echo_json({**found.to_dict(), "out": str(out)})
        return
    for doubt in found.doubts[:_SHOWN]:
        click.echo(str(doubt))
    click.echo(f"{found.summary()}\nAll of them, in context: {out}")
