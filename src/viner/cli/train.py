"""``viner train``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.projects import find_project, has_store
from viner.cli.terminal import echo_json

if TYPE_CHECKING:
    from viner.project import Project


@click.command(short_help="Train a model on annotated files.")
@click.option("--train", type=FILE, help="Annotated file to learn from.")
@click.option("--dev", type=FILE, help="Annotated file to choose the best epoch on; a tenth of --train if not given.")
@click.option("--test", type=FILE, help="Annotated file for the figures of the model card.")
@click.option(
    "--project",
    type=FILE,
    help="Project folder, the current one if no file is given: trains on what is annotated, writes models/NNN.",
)
@click.option("--out", "-o", type=FILE, help="Folder of the new model.")
@click.option("--base", metavar="ID|DIR", help="Encoder from the Hub or a folder; the bundled one if not given.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training file, at most.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), help="Peak rate of the encoder.")
@click.option("--seed", type=int, help="Seed of everything that is drawn.")
@click.option("--precision", type=click.Choice(["bf16", "fp32"]), help="Arithmetic; bf16 where the processor has it.")
@click.option("--allow-bin", is_flag=True, default=None, help="Accept a base with weights in pytorch_model.bin.")
@click.option("--overwrite", is_flag=True, default=None, help="Replace a model that is there.")
@click.option("--budget-minutes", type=click.FloatRange(min=0, min_open=True), help="Stop training after that time.")
@format_option
@json_option
def train(project: Path | None, read_options: dict[str, Any], as_json: bool, **options: Any) -> None:
    """Train a recognizer, evaluate it, and write it as a model folder.

    A project is trained on its documents that are done, and on what was decided in those that were started; a project
    without a store on its data/. Started again after a kill, the same command goes on where it stopped.

    \b
    Example:
      viner train --train train.conll --dev dev.conll --test test.conll --out models/001
      viner train --project covid
    """
    from viner.errors import UsageError
    from viner.project import Project
    from viner.workflow import train_model

    options["read_options"] = read_options or None
    given = {name: value for name, value in options.items() if value is not None}
    here = "train" not in given and Project.is_project(Path())
    with contextlib.ExitStack() as stack:
        if project is not None or here:
            folder = find_project(project)
            files = stack.enter_context(_annotated(folder)) if has_store(folder) else folder.training_files()
            given = {**files, "schema": folder.schema(), **given}
            given = {name: value for name, value in given.items() if value is not None}
        if "train" not in given or "out" not in given:
            raise UsageError("a training needs --train FILE and --out DIR, or --project DIR", hint="See: viner train --help")
        path = train_model(**given)
    if as_json:
        echo_json({"model": str(path)})
    else:
        click.echo(f"Model: {path}\nTry it: viner serve {path}")


@contextlib.contextmanager
def _annotated(project: Project) -> Iterator[dict[str, Path]]:
    """What a project's store teaches, as files that are gone afterwards, and the folder of the model to be."""
    from viner.annotation.snapshot import snapshot
    from viner.store import Store

    runs = project.path / "runs"
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".train-", dir=runs) as folder:
        with Store.of_project(project, create=False) as store:
            snapshot(store, Path(folder))
        files = {split: Path(folder) / f"{split}.jsonl" for split in ("train", "dev", "test")}
        yield {split: file for split, file in files.items() if file.is_file() and file.stat().st_size} | {
            "out": project.next_model()
        }
