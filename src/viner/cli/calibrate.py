"""``viner calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.terminal import echo_json, echo_successor, progress
from viner.errors import UsageError


@click.command(short_help="Make a model's scores say how often it is right.")
@click.argument("model")
@click.argument("file", type=FILE, required=False)
@click.option("--out", "-o", type=FILE, metavar="DIR", help="Write a copy of the model, and leave MODEL as it is.")
@click.option("--reset", is_flag=True, help="Take the calibration away: scores are the model's own estimate again.")
@click.option("--dry-run", is_flag=True, help="Show the figures before and after, and write nothing.")
@format_option
@json_option
def calibrate(
    model: str,
    file: Path | None,
    out: Path | None,
    reset: bool,
    dry_run: bool,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
) -> None:
    """Calibrate the scores of MODEL on the annotated FILE: of the entities with a score of 0.9, nine in ten are then right.

    FILE holds texts of the kind that the model is for, and that it did not learn from. The entities that it finds stay the
    same. What is shown for after is measured by cross-validation, on documents that the scores were not fitted to.

    A training calibrates by itself, on dev. Do it again for other texts, or for a model that is older than calibration.
    viner.json is replaced at once; a server that runs has the old scores until it starts again. The models of a project
    never change: it gets a copy with the next number, which recognizes if MODEL did, and its workbench follows. A model of
    the Hub needs --out.

    \b
    Example:
      viner calibrate models/001 dev.conll --dry-run
      viner calibrate models/001 dev.conll
      viner calibrate covid dev.jsonl
      viner calibrate nhat/covid-ner dev.conll --out covid-ner
      viner calibrate models/001 --reset
    """
    if reset == (file is not None):
        raise UsageError(
            "--reset takes no FILE" if reset else "FILE is missing: annotated documents that the model did not learn from",
            hint="Such as: viner calibrate models/001 dev.conll",
        )
    if reset and dry_run:
        raise UsageError("--reset measures nothing that --dry-run could show")
    from viner.formats import read
    from viner.workflow.recalibrate import recalibrate_model

    documents = None if file is None else list(progress(read(file, format, **read_options)))
    found = recalibrate_model(model, documents, where=file, out=out, dry_run=dry_run)
    if as_json:
        echo_json(found.to_dict())
        return
    if found.before is not None:
        click.echo(found.to_markdown())
    click.echo(_told(found.written, found.model, dry_run=dry_run, reset=reset))
    echo_successor(
        found.written, found.model, activated=found.activated, card_kept=found.card_kept, what="scores may be of the ones"
    )


def _told(written: Path | None, model: Path, *, dry_run: bool, reset: bool) -> str:
    if dry_run:
        return "Nothing was written (--dry-run)."
    if written is None:
        return f"{model} has no calibration; nothing was changed."
    what = "the model's own scores" if reset else "calibrated scores"
    return f"{written} now has {what}." if written == model else f"{written} is {model} with {what}."
