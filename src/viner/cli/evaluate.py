"""``viner evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from viner.cli.options import FILE, format_option, json_option, provider_option, rules_option
from viner.cli.terminal import echo_json, progress


@click.command(short_help="Score a model on an annotated file.")
@click.argument("model")
@click.argument("file", type=FILE)
@rules_option
@provider_option
@format_option
@json_option
def evaluate(
    model: str,
    file: Path,
    rules: Path | Literal[False] | None,
    provider: str | None,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
) -> None:
    """Score MODEL on the annotated FILE: strict precision, recall and F1, micro, macro and for each type.

    What is scored is what `viner predict` would answer, rules included; the report says so. A second table says how many
    entities are right from a score on.

    \b
    Example:
      viner evaluate models/003 test.conll
      viner evaluate models/003 test.jsonl --json
      viner evaluate models/003 test.conll --rules rules.toml
      viner evaluate covid test.conll --no-rules
    """
    import viner
    from viner.evaluation import evaluate_model
    from viner.evaluation.confidence import ConfidenceTally
    from viner.formats import read
    from viner.rules import RuledRecognizer

    documents = progress(read(file, format, **read_options))
    recognizer = viner.load(model, provider=provider, rules=rules)
    tally = ConfidenceTally()
    evaluation = evaluate_model(recognizer, documents, where=file, observe=tally.add)
    confidence = tally.confidence()
    applied = recognizer.rules if isinstance(recognizer, RuledRecognizer) else None
    if as_json:
        echo_json(
            {**evaluation.to_dict(), "confidence": confidence.to_dict(), "rules": None if applied is None else applied.file}
        )
        return
    click.echo(f"{evaluation.to_markdown()}\n{confidence.to_markdown()}", nl=False)
    if applied is not None:
        click.echo(f"\nScored with the {applied.count} of {applied.file}.")
