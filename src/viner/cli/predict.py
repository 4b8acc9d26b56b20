"""``viner predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.streams import read_all, write_out
from viner.cli.terminal import progress


@click.command(short_help="Recognize entities in files, in constant memory.")
@click.argument("model")
@click.argument("inputs", type=FILE, nargs=-1, required=True, metavar="INPUT...")
@click.option("--out", "-o", type=FILE, default=Path("-"), help="Where the documents go; `-`, the default, is stdout.")
@format_option
@click.option("--to", metavar="NAME", help="Format of the output; the extension of --out says so if not given, else jsonl.")
@click.option("--whole", is_flag=True, help="Take each text file as one document, not each of its lines.")
@json_option
def predict(
    model: str,
    inputs: tuple[Path, ...],
    out: Path,
    format: str | None,
    read_options: dict[str, Any],
    to: str | None,
    whole: bool,
    as_json: bool,
) -> None:
    """Recognize with MODEL the entities of every document in INPUT.

    A text file holds one document a line. `-` is stdin. The output keeps the order of the input, and appears
    under its name only when it is complete.

    \b
    Example:
      viner predict models/003 notes.txt --out notes.jsonl
      cat notes.txt | viner predict models/003 - | jq .entities
    """
    import viner

    documents = read_all(inputs, format, read_options, whole=whole)
    write_out(progress(viner.load(model).stream(documents)), out, to, as_json=as_json)
