"""``viner search``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, base_option, budget_option, encoder_options, format_option, json_option, option_text
from viner.cli.terminal import echo_json
from viner.cli.training_files import TrainingFiles, training_files, training_files_options


@click.command(short_help="Search the choices of a training.")
@training_files_options
@click.option("--out", "-o", type=FILE, required=True, help="Folder of the search.")
@click.option(
    "--trials", type=click.IntRange(min=1), default=20, show_default=True, help="Trainings, those of earlier calls included."
)
@budget_option("Time for all of them; no limit if not given")
@click.option(
    "--space",
    metavar="NAME=VALUES",
    multiple=True,
    help="What a choice is drawn from: LOW..HIGH, or a list A,B,C; one value fixes it. May be repeated.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=1,
    show_default=True,
    help="Seed of the search and of all its trainings.",
)
@base_option
@encoder_options
@format_option
@json_option
def search(
    train: Path | None,
    dev: Path | None,
    project: Path | None,
    out: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Search the choices with which a training gets the highest dev F1: learning rate, dropout and others.

    Each trial is a training whose choices are drawn where those before it did well (TPE); one that lies behind the others is
    given up. The first one is the default recipe. Started again after a kill, or with more --trials or --budget, the same
    command goes on. No model is written: the command at the end trains one with what was found.

    Without --space these are drawn: learning_rate, from a quarter of the base's default to 2.5 times of it, head_multiplier,
    dropout, warmup and weight_decay. With it, what is named, which can be any field of
    viner.training.config.TrainingConfig. A range whose ends are above 0 is drawn by ratios.

    \b
    Example:
      viner search --train train.conll --dev dev.conll --out searches/001
      viner search --train train.conll --dev dev.conll --out searches/002 --trials 40 --budget 8h
      viner search --train train.conll --out searches/003 --space learning_rate=1e-4..1e-3 --space dropout=0.1,0.2
      viner search --project covid --out searches/004
    """
    from viner.workflow.search import BEST, search_choices

    given = {name: value for name, value in options.items() if value is not None}
    with training_files(train, dev, project, options) as files:
        found = search_choices(files.train, out, dev=files.dev, schema=files.schema, **given)
    command = _command(files, out / BEST, options)
    if as_json:
        echo_json({**found.to_dict(), "command": command, "out": str(out)})
        return
    click.echo(found.to_markdown())
    click.echo(f"Train a model with what was found (the name is yours):\n  {command}")


def _command(files: TrainingFiles, best: Path, options: dict[str, Any]) -> str:
    """The command that trains a model with the best choices."""
    words = ["viner", "train", *files.arguments, "--choices", str(best)]
    for name in ("base", "segmenter", "format"):
        if options[name] is not None:
            words += [f"--{name}", str(options[name])]
    for name, value in (options["read_options"] or {}).items():
        words += ["--option", f"{name}={option_text(value)}"]
    words += ["--allow-bin"] if options["allow_bin"] else []
    return shlex.join(words)
