"""``viner train``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.options import FILE, base_option, budget_option, choices_option, encoder_options, format_option, json_option
from viner.cli.projects import find_project, has_store
from viner.cli.terminal import echo_json
from viner.paths import expanded

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
@base_option
@click.option(
    "--distill-from", metavar="MODEL", help="Make a smaller, faster model of this one: a folder, a project or a Hub id."
)
@click.option("--layers", type=click.IntRange(min=1), help="Layers of the smaller model; half if not given.")
@click.option(
    "--teacher",
    metavar="MODEL",
    multiple=True,
    help="Let the base learn what this model answers, too: a folder, a project or a Hub id. May be given several times.",
)
@click.option(
    "--unlabeled",
    metavar="TEXTS",
    multiple=True,
    help="Texts in which --teacher or --distill-from says what there is, since nobody annotated them: a file, a folder or a "
    "pattern. May be given several times.",
)
@click.option(
    "--self-train",
    is_flag=True,
    default=None,
    help="Let the project's model say what is in documents that nobody began, and learn from them, too.",
)
@click.option(
    "--adapt",
    metavar="TEXTS",
    multiple=True,
    help="Texts, annotated or not, that the base learns from first: a file, a folder or a pattern. May be given several times.",
)
@click.option("--adapt-epochs", type=click.IntRange(min=1), help="Passes over the texts of --adapt, at most.")
@budget_option("Stop adapting after that time", "--adapt-budget")
@click.option(
    "--adapt-learning-rate", type=click.FloatRange(min=0, min_open=True), help="Peak rate of the encoder while it adapts."
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training file, at most.")
@choices_option
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), help="Peak rate of the encoder.")
@click.option(
    "--harden",
    metavar="SHARE",
    type=click.FloatRange(min=0, max=1, max_open=True),
    help="Share of the sequences that are shown without diacritics, in one case or mistyped, so that a model minds these less; "
    "0.3 if not given, 0 for none.",
)
@click.option(
    "--r-drop",
    metavar="WEIGHT",
    type=click.FloatRange(min=0),
    help="Read each sequence under two draws of dropout and draw both answers together, such as 1: twice the time.",
)
@click.option(
    "--adversarial",
    metavar="SIZE",
    type=click.FloatRange(min=0),
    help="Read each sequence again where the loss grows fastest, that far away, such as 0.6: twice the time, 0 for none.",
)
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), help="Seed of everything that is drawn.")
@click.option("--precision", type=click.Choice(["bf16", "fp32"]), help="Arithmetic; bf16 where it is faster.")
@click.option(
    "--lora",
    metavar="RANK",
    type=click.IntRange(min=1),
    help="Train adapters of this rank beside a large base instead of its weights, such as 16.",
)
@click.option(
    "--accumulate",
    metavar="N",
    type=click.IntRange(min=1),
    help="Compute each batch in N parts, one after the other, where it does not fit into memory.",
)
@click.option(
    "--gradient-checkpointing",
    is_flag=True,
    default=None,
    help="Compute layers twice instead of keeping what they hold: far less memory, a third more time.",
)
@encoder_options
@click.option(
    "--engine",
    type=click.Choice(["int8", "fp32", "cascade"]),
    help="What runs: int8, fp32, or cascade, which has fp32 compute again what int8 is unsure of. If not given, int8 where it"
    " finds the entities of float32, else what of the others is faster and finds them.",
)
@click.option(
    "--refit",
    is_flag=True,
    default=None,
    help="When dev has chosen, train once more on train and dev together and keep that model: twice the time.",
)
@click.option(
    "--track",
    metavar="NAME",
    multiple=True,
    help="Tell an experiment tracker of the training: tensorboard, wandb, mlflow, …; can be given several times.",
)
@click.option("--track-dir", type=FILE, help="Where trackers write their files, in a folder of the model's name; OUT.tracking.")
@click.option("--overwrite", is_flag=True, default=None, help="Replace a model that is there.")
@click.option("--anew", is_flag=True, help="Leave the project's interrupted training as it is, and begin another one.")
@budget_option("Stop training after that time")
@format_option
@json_option
def train(
    project: Path | None, choices: Path | None, read_options: dict[str, Any], anew: bool, as_json: bool, **options: Any
) -> None:
    """Train a recognizer, evaluate it, and write it as a model folder.

    A project is trained on its documents that are done, and on what was decided in those that were started; a project
    without a store on its data/. Started again after a kill, the same command goes on where it stopped.

    \b
    Example:
      viner train --train train.conll --dev dev.conll --test test.conll --out models/001
      viner train --train train.conll --dev dev.conll --refit --out models/001
      viner train --project covid
      viner train --project covid --self-train
      viner train --train train.conll --dev dev.conll --choices searches/001/best.toml --out models/002
      viner train --train train.conll --dev dev.conll --distill-from models/001 --out models/002
      viner train --train train.conll --dev dev.conll --teacher models/001 --out models/002
      viner train --train train.conll --dev dev.conll --adapt 'notes/*.txt' --adapt-budget 1h --out models/003
    """
    from viner.bundle import Origin
    from viner.errors import UsageError
    from viner.project import Project
    from viner.workflow import train_model

    options["read_options"] = read_options or None
    if options["track_dir"] is not None and not options["track"]:
        raise UsageError("--track-dir says where a tracker writes, and there is none", hint="Add --track tensorboard, say")
    options["track"] = list(options["track"]) or None
    for name in ("adapt", "teacher", "unlabeled"):
        options[name] = [*options[name]] or None
    given = {name: value for name, value in options.items() if value is not None}
    if choices is not None:
        from viner.workflow.choices import read_choices

        given = {**read_choices(choices), **given}
    if project is not None or ("train" not in given and Project.is_project(Path())):
        folder = find_project(project)
        if has_store(folder):
            path = _train_on_store(folder, given, anew=anew)
        else:
            _refuse_anew(anew)
            _refuse_self_training(given)
            files = {**folder.training_files(), "schema": folder.schema(), "source": Origin.of_project(folder)}
            path = train_model(**{name: value for name, value in {**files, **given}.items() if value is not None})
    elif "train" in given and "out" in given:
        _refuse_anew(anew)
        _refuse_self_training(given)
        path = train_model(**given)
    else:
        raise UsageError("a training needs --train FILE and --out DIR, or --project DIR", hint="See: viner train --help")
    if os.environ.get("RANK", "0") != "0":
        return  # another process says it
    if as_json:
        echo_json({"model": str(path)})
    else:
        click.echo(f"Model: {path}\nTry it: viner serve {path}")


def _refuse_anew(anew: bool) -> None:
    from viner.errors import UsageError

    if anew:
        raise UsageError(
            "--anew is for a project that has a store, whose trainings have folders of their own",
            hint="Name another folder with --out, or delete OUT.training",
        )


def _refuse_self_training(given: dict[str, Any]) -> None:
    from viner.errors import UsageError

    if given.get("self_train"):
        raise UsageError(
            "--self-train takes the documents that nobody began from the store of a project, and there is none",
            hint="Name a model and texts: --teacher MODEL --unlabeled TEXTS",
        )


def _train_on_store(project: Project, choices: dict[str, Any], *, anew: bool) -> Path:
    """A run as the page's button starts it, in this process: it takes up the one that was interrupted, or begins a new one.

    One that failed before its first epoch has nothing to go on from; what was annotated since may be what it lacked.
    """
    from viner.errors import UsageError
    from viner.store import Store
    from viner.studio.run_folder import RunFolder
    from viner.studio.runs import Runs
    from viner.studio.work import work

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "a project that has a store is trained in one process",
            hint="Export its documents with viner export, then train on the files with --train and --out",
        )
    if choices.pop("refit", None):
        raise UsageError(
            "--refit does not go with a project that has a store, whose models are compared on dev: one that has learned it"
            " cannot be",
            hint="Export the documents with viner export, then train on the files with --train and --dev; --out names a folder"
            " outside of the project",
        )
    for name in ("train", "dev", "test", "out", "format", "read_options", "overwrite"):
        if name in choices:
            option = "option" if name == "read_options" else name
            raise UsageError(
                f"--{option} does not go with a project that has a store, which says what is learned",
                hint="Export the documents first, or leave the option away",
            )
    # Whoever resumes the run may stand in another folder.
    for name in ("base", "distill_from"):
        if name in choices:
            choices[name] = _in_full(choices[name])
    if "teacher" in choices:
        choices["teacher"] = [_in_full(name) for name in choices["teacher"]]
    for name in ("adapt", "unlabeled"):
        if name in choices:
            choices[name] = [str(Path(path).absolute()) for path in choices[name]]
    if "track_dir" in choices:
        choices["track_dir"] = str(choices["track_dir"].resolve())
    choices = json.loads(json.dumps(choices))  # as a run keeps them
    with Store.of_project(project, create=False) as store:
        runs = Runs(project, store)
        last = runs.current()
        takes_up = last is not None and last.resumable and not anew and dict(last.options) == runs.in_full(choices)
        if last is not None and takes_up and (last.state == "stopped" or runs.has_checkpoint(last.name)):
            told = "on what was annotated when it began (--anew begins another)"
            click.echo(f"Going on with run {last.name}, {told}", err=True)
            return work(RunFolder(project.path / "runs" / last.name))
        with runs.foreground(**choices) as folder:
            return work(folder)


def _in_full(model: str) -> str:
    """The name of a model or a base, in full where it is a folder."""
    folder = expanded(model)
    return str(folder.resolve()) if folder.is_dir() else model
