"""``viner lint``."""

from __future__ import annotations

from pathlib import Path

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.terminal import echo_json, progress


@click.command(short_help="Find annotations that will not train or score well.")
@click.argument("files", type=FILE, nargs=-1, required=True)
@format_option
@json_option
def lint(files: tuple[Path, ...], format: str | None, as_json: bool) -> int:
    """Find annotations in FILES that will not train or score well.

    Entities that cut words, crossing and repeated ones, spaces at their edges, sentences that stand in two splits.
    Exit status 1 when something was found.

    \b
    Example:
      viner lint train.conll dev.conll test.conll
    """
    from viner.corpus import lint as lint_documents
    from viner.formats import read

    findings = list(lint_documents({str(file): progress(read(file, format)) for file in files}))
    if as_json:
        echo_json({"findings": [finding.to_dict() for finding in findings]})
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{len(findings):,} findings in {len(files)} files", err=True)
    return 1 if findings else 0
