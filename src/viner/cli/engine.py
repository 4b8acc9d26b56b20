"""``viner engine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.terminal import echo_json, echo_successor, progress
from viner.errors import UsageError, VinerError
from viner.paths import expanded

if TYPE_CHECKING:
    from viner.workflow.other_engine import EngineChange

_TOLD = {"int8": "int8", "fp32": "float32", "cascade": "int8, and float32 where that is unsure"}


@click.command(short_help="See what a model runs, int8, float32 or both, or take another one.")
@click.argument("model")
@click.argument("engine", type=click.Choice(["int8", "fp32", "cascade"]), required=False)
@click.argument("file", type=FILE, required=False)
@click.option("--out", "-o", type=FILE, metavar="DIR", help="Folder of the new model; the next number in a project.")
@click.option("--dry-run", is_flag=True, help="Compare, and write nothing.")
@format_option
@json_option
def engine(
    model: str,
    engine: str | None,
    file: Path | None,
    out: Path | None,
    dry_run: bool,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
) -> None:
    """Show what MODEL runs and why; or, with ENGINE, make a model that runs that, without training.

    int8 is faster, and its folder a third smaller; float32 is what was trained. cascade has both graphs: int8 reads all, and
    float32 again what int8 is unsure of. A training takes int8 where both find the same entities on dev, else the cascade
    where that finds them and is faster than float32, else float32. Another one may still be right for you: FILE holds texts of
    the kind that the model is for, and the comparison says how many entities differ, how fast each is and, if FILE is
    annotated and not what the model has learned, what F1 each has.

    MODEL stays as it is. Of a project the next number becomes the new model, which recognizes if MODEL did; elsewhere --out
    names a folder. Building a graph needs viner[train].

    \b
    Example:
      viner engine models/001
      viner engine models/001 int8 dev.conll --dry-run
      viner engine models/001 int8 dev.conll --out models/001-int8
      viner engine covid cascade dev.jsonl
    """
    if engine is None:
        if out is not None or dry_run:
            raise UsageError("--out and --dry-run go with an ENGINE", hint=f"Such as: viner engine {model} int8 dev.conll")
        _show(model, as_json=as_json)
        return
    if file is None:
        raise UsageError("FILE is missing: texts to compare on", hint=f"Such as: viner engine {model} {engine} dev.conll")
    from viner.formats import read
    from viner.workflow.other_engine import take_engine

    documents = progress(read(file, format, **read_options))
    found = take_engine(model, engine, documents, where=file, out=out, dry_run=dry_run)
    if as_json:
        echo_json(found.to_dict())
        return
    click.echo(f"{found.choice.summary()}.")
    click.echo(_told(found, found.model if expanded(model).exists() else model))
    echo_successor(
        found.written, found.model, activated=found.activated, card_kept=found.card_kept, what="the engine may be of the one"
    )


def _told(found: EngineChange, model: str | Path) -> str:
    if found.written is None:
        return "Nothing was written (--dry-run)."
    return f"{found.written} is {model} with {_TOLD[found.choice.engine]}."


def _show(model: str, *, as_json: bool) -> None:
    from viner.bundle import find_bundle
    from viner.bundle.info import MEASURED_WITH
    from viner.workflow.choose import Choice

    info = find_bundle(model, weights=False).info
    here, problem = _here(model)
    if as_json:
        echo_json({"engine": info.engine, "evidence": dict(info.evidence), "here": here, "problem": problem})
        return
    click.echo(f"{model} runs {_TOLD[info.engine]}.")
    if {"same_share", "sentences", "pieces_per_second"} <= set(info.evidence):
        click.echo(f"{Choice(info.engine, dict(info.evidence)).summary()}.")
    if MEASURED_WITH in info.evidence:
        click.echo(f"Its figures were measured with {_TOLD.get(info.evidence[MEASURED_WITH], info.evidence[MEASURED_WITH])}.")
    if here is None:
        click.echo(f"On this machine it does not run: {problem}")
    elif (here["engine"], here["provider"]) != (info.engine, "onnxruntime"):
        click.echo(f"On this machine it runs {_TOLD[here['engine']]}, with {here['provider']}.")


def _here(model: str) -> tuple[dict[str, str] | None, str | None]:
    """What would run on this machine; or None, and why not."""
    from viner.runtime import Recognizer

    try:
        recognizer = Recognizer.load(model)
    except VinerError as error:
        return None, str(error)
    return {"engine": recognizer.engine, "provider": recognizer.provider}, None
