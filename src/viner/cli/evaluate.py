"""``viner evaluate``."""

from __future__ import annotations

from pathlib import Path

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.terminal import echo_json, progress


@click.command(short_help="Score a model on an annotated file.")
@click.argument("model")
@click.argument("file", type=FILE)
@format_option
@json_option
def evaluate(model: str, file: Path, format: str | None, as_json: bool) -> None:
    """Score MODEL on the annotated FILE: strict precision, recall and F1, micro, macro and for each type.

    \b
    Example:
      viner evaluate models/003 test.conll
      viner evaluate models/003 test.jsonl --json
    """
    import viner
    from viner.evaluation import evaluate_model
    from viner.formats import read

    evaluation = evaluate_model(viner.load(model), progress(read(file, format)), where=file)
    if as_json:
        echo_json(evaluation.to_dict())
    else:
        click.echo(evaluation.to_markdown(), nl=False)
