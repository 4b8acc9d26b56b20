"""``viner stats``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.terminal import echo_json, progress


@click.command(short_help="Count documents, words and entities of a file.")
@click.argument("file", type=FILE)
@format_option
@json_option
def stats(file: Path, format: str | None, read_options: dict[str, Any], as_json: bool) -> None:
    """Count documents, sentences, words and entities of FILE.

    \b
    Example:
      viner stats train.conll
      viner stats train.jsonl --json
    """
    from viner.corpus import statistics
    from viner.formats import read

    figures = statistics(progress(read(file, format, **read_options))).to_dict()
    if as_json:
        echo_json(figures)
        return
    for name in ("documents", "sentences", "words", "entities"):
        click.echo(f"{name:<12}{figures[name]:>12,}")
        if name == "documents" and figures["partial"]:
            click.echo(f"{'  in part':<12}{figures['partial']:>12,}")
        if name == "documents" and figures["unannotated"]:
            click.echo(f"{'  not at all':<12}{figures['unannotated']:>12,}")
    if figures.get("scheme"):
        click.echo(f"{'scheme':<12}{figures['scheme']:>12}")
    if unread := figures["unread_tag_columns"]:
        columns = f"column{'s' * (len(unread) > 1)} {', '.join(map(str, unread))}"
        click.echo(f"  tags in {columns} are not read; --option tag_columns=2,3 names those that are, from 0")
    width = max((len(label) for label in figures["labels"]), default=0)
    for label, count in figures["labels"].items():
        click.echo(f"  {label:<{width}}  {count:>8,}  {count / figures['entities']:>6.1%}")
