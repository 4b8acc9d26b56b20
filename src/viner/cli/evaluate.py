"""``viner evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.terminal import echo_json, progress


@click.command(short_help="Score a model on an annotated file.")
@click.argument("model")
@click.argument("file", type=FILE)
@format_option
@json_option
def evaluate(model: str, file: Path, format: str | None, read_options: dict[str, Any], as_json: bool) -> None:
    """Score MODEL on the annotated FILE: strict precision, recall and F1, micro, macro and for each type.

    \b
    Example:
      viner evaluate models/003 test.conll
      viner evaluate models/003 test.jsonl --json
    """
    import viner
    from viner.evaluation import evaluate_model
    from viner.formats import read

    documents = progress(read(file, format, **read_options))
    evaluation = evaluate_model(viner.load(model), documents, where=file)
    if as_json:
        echo_json(evaluation.to_dict())
    else:
        click.echo(evaluation.to_markdown(), nl=False)
