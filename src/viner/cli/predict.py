"""``viner predict``."""

from __future__ import annotations

from typing import Any

import click

from viner.cli.bulk import bulk_options, echo_report, run_job
from viner.cli.options import MODEL_DECIDES, least_score_option


@click.command(short_help="Recognize entities in files, in constant memory.")
@bulk_options
@least_score_option(MODEL_DECIDES)
def predict(**options: Any) -> None:
    """Recognize with MODEL the entities of every document in INPUT: files, folders, patterns, `-` for stdin.

    A text file holds one document a line; of CSV and Parquet, --text-column is the text. Files may be packed (.gz, .zst). The
    output keeps the order of the input, and appears under its name only when it is complete. Until then OUT.part/ beside it
    keeps what is done: after a kill or an error, the same command goes on.

    With --errors, lines that cannot be used are skipped and told; the exit status is 0, unless not one line was of use.

    \b
    Example:
      viner predict models/003 notes.txt --out notes.jsonl
      viner predict models/003 'visits/*.csv.gz' --text-column note --errors errors.jsonl --out visits.parquet
      viner predict models/003 notes/ --out notes.html
      viner predict models/003 notes.txt --out sure.jsonl --least-score 0.9
      cat notes.txt | viner predict models/003 - | jq .entities
    """
    report = run_job(options)
    if options["as_json"]:
        echo_report(report)
