"""``viner bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, format_option, json_option, provider_option
from viner.cli.terminal import echo_json, tell


@click.command(short_help="Measure how fast a model recognizes here, against what the processor can do.")
@click.argument("model")
@click.option(
    "--texts", type=FILE, help="Texts to recognize, in any format that `viner predict` reads; else the bundled corpus."
)
@click.option("--engine", metavar="NAME", help="int8, fp32 or cascade; what the model chose if not given.")
@provider_option
@format_option
@json_option
def bench(
    model: str,
    texts: Path | None,
    engine: str | None,
    provider: str | None,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
) -> None:
    """Measure how fast MODEL recognizes on this machine, how fast the processor would let it, and where the time goes.

    Takes half a minute, in which nothing else should run. The ceiling is the rate of an int8 matrix product on all cores;
    docs/benchmarks.md says how each figure is measured.

    \b
    Example:
      viner bench models/003
      viner bench models/003 --texts notes.txt --json
    """
    from viner.formats import read
    from viner.measure import measure_model, to_text

    documents = None if texts is None else read(texts, format, **read_options)
    found = measure_model(model, documents, engine, provider, tell=tell)
    if as_json:
        echo_json(found.to_dict())
    else:
        click.echo(to_text(found), nl=False)
