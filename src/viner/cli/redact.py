"""``viner redact``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.bulk import bulk_options, echo_report, run_job
from viner.cli.options import FILE, least_score_option
from viner.conll_meta import KEY as CONLL
from viner.errors import InputError, UsageError

if TYPE_CHECKING:
    from viner.bulk import Redactor
    from viner.bulk.steps import RecognizerLike


CHARACTER = "█"


@click.command(short_help="Mask the entities of files, or put pseudonyms in their place.")
@bulk_options
@least_score_option("0, so that as little as possible is left standing", default=0.0)
@click.option("--labels", metavar="A,B,…", help="Which entities are redacted; all if not given.")
@click.option(
    "--by",
    type=click.Choice(["label", "characters", "pseudonym"]),
    default="label",
    show_default=True,
    help="What takes their place: [LABEL], a character for each of theirs, or the label with a code, the same for the same.",
)
@click.option("--character", metavar="C", help=f"The character for --by characters.  [default: {CHARACTER}]")
@click.option(
    "--key-file",
    type=FILE,
    metavar="FILE",
    help="The secret of the pseudonyms: runs with the same give the same. Drawn if not given.  [env: VINER_REDACT_KEY,"
    " the secret itself]",
)
@click.option("--everywhere", is_flag=True, help="Also what stands elsewhere in the document and was not recognized there.")
@click.option(
    "--keep-meta", metavar="KEY", multiple=True, help="Keep this key of meta, which is left out otherwise; may be repeated."
)
@click.option("--drop-ids", is_flag=True, help="Leave the documents' ids out.")
def redact(
    labels: str | None,
    by: Any,
    character: str | None,
    key_file: Path | None,
    everywhere: bool,
    keep_meta: tuple[str, ...],
    drop_ids: bool,
    **options: Any,
) -> None:
    """Recognize with MODEL the entities of every document in INPUT, and write the documents without what they say.

    Inputs, outputs, --errors and going on after a kill are those of `viner predict`. Entities stay, with their masks as
    surfaces; offsets are exact in the new text. `meta` is left out, since names may stand there, and so is all that the
    output's format has no place for.

    A model misses some: look at its recall (`viner evaluate`) before anything leaves the house.

    \b
    Example:
      viner redact models/003 notes.txt --out redacted.jsonl
      viner redact models/003 notes/ --labels PERSON,PATIENT_ID --by pseudonym --key-file key.txt --out notes.parquet
      cat notes.txt | viner redact models/003 - --to text
    """
    from viner.bulk import Redactor

    if by != "characters" and character is not None:
        raise UsageError("--character goes with --by characters only", hint="Add --by characters, or leave --character out")
    key = _key(key_file) if by == "pseudonym" or key_file is not None else None
    made: list[Redactor] = []

    def step(recognizer: RecognizerLike) -> Redactor:
        made.append(
            Redactor(
                _labels(labels, recognizer),
                by=by,
                key=key,
                character=CHARACTER if character is None else character,
                everywhere=everywhere,
                keep_meta=keep_meta,
                drop_ids=drop_ids,
                known=recognizer.schema.entity_labels,
            )
        )
        return made[0]

    report = run_job(options, step, reads=(key_file,))
    (redactor,) = made
    if options["as_json"]:
        echo_report(report, {"redacted": dict(redactor.redacted), "left_out_meta": dict(redactor.left_out)})
        return
    counts = ", ".join(f"{label} {count:,}" for label, count in redactor.redacted.most_common())
    click.echo(f"  redacted {redactor.redacted.total():,} entities" + (f": {counts}" if counts else ""), err=True)
    if redactor.left_out:
        keys = ", ".join(f"{key} {count:,} ×" for key, count in redactor.left_out.most_common(10))
        keep = " (--keep-meta KEY keeps one)" if {*redactor.left_out} - {CONLL} else ""
        click.echo(f"  left out of meta, where names may stand: {keys}{keep}", err=True)


def _labels(given: str | None, recognizer: RecognizerLike) -> list[str] | None:
    if given is None:
        return None
    known = recognizer.schema.entity_labels
    labels = [label.strip() for label in given.split(",") if label.strip()]
    for label in labels:
        if label not in known:
            raise UsageError(f"the model knows no label {label!r}", hint=f"Labels: {', '.join(known)}")
    if not labels:
        raise UsageError("--labels names no label", hint=f"Labels: {', '.join(known)}")
    return labels


def _key(file: Path | None) -> bytes | None:
    import os

    if file is None:
        given = os.environ.get("VINER_REDACT_KEY")
        return os.fsencode(given).strip() if given else None  # any bytes, as a file may hold them
    try:
        return file.read_bytes().strip()
    except OSError as error:
        raise InputError(f"the key cannot be read: {error.strerror or error}", where=file) from None
