"""``viner convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.streams import check_output, read_all, write_out
from viner.cli.terminal import progress


@click.command(short_help="Write a file in another format.")
@click.argument("source", type=FILE)
@click.argument("target", type=FILE)
@format_option
@click.option("--to", metavar="NAME", help="Format of TARGET; its extension says so if not given.")
@json_option
def convert(
    source: Path, target: Path, format: str | None, read_options: dict[str, Any], to: str | None, as_json: bool
) -> None:
    """Write the documents of SOURCE to TARGET in another format, and say what that format could not hold.

    `-` is stdin or stdout.

    \b
    Example:
      viner convert train.conll train.jsonl
      viner convert answers.jsonl - --to conll
      viner convert pos.tsv pos.jsonl --format conll --option tag_column=1 --option scheme=IO
    """
    check_output(target, source)
    write_out(progress(read_all([source], format, read_options)), target, to, as_json=as_json)
