"""``viner models``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from viner.cli.options import json_option
from viner.cli.projects import confirm, find_project
from viner.cli.terminal import echo_json
from viner.paths import expanded


@click.command(short_help="List, check, activate and remove models.")
@click.argument("arguments", nargs=-1, metavar="[prune] [FOLDER]")
@click.option("--verify", is_flag=True, help="Compare every file with its checksum, not only its size.")
@click.option("--activate", metavar="NAME", help="Make this model of a project the one that recognizes, such as 003.")
@click.option("--keep", type=click.IntRange(min=1), help="With prune: how many of the newest models stay.  [default: 3]")
@click.option("--yes", "-y", is_flag=True, help="With prune: do not ask.")
@json_option
def models(arguments: tuple[str, ...], verify: bool, activate: str | None, keep: int | None, yes: bool, as_json: bool) -> int:
    """List the models of FOLDER: a model itself, a project, or a folder of models. Each is checked to be complete.

    Exit status 1 when there is none, or one is damaged. With `prune`, remove from a project all models but the newest
    ones and the active one.

    \b
    Example:
      viner models covid
      viner models models/003 --verify
      viner models covid --activate 002
      viner models prune --keep 3 covid
    """
    from viner.errors import UsageError

    pruning = arguments[:1] == ("prune",)
    places = arguments[1:] if pruning else arguments
    if len(places) > 1:
        raise UsageError(f"one folder, not {len(places)}", hint="See: viner models --help")
    if pruning and (verify or activate):
        raise UsageError("prune takes --keep and --yes only", hint="See: viner models --help")
    if not pruning and (keep is not None or yes):
        raise UsageError("--keep and --yes belong to prune", hint="Such as: viner models prune --keep 3")
    folder = expanded(places[0]) if places else Path()
    if not folder.is_dir():
        from viner.errors import InputError

        raise InputError("there is no such folder", where=folder, hint=f"The current folder is {Path.cwd()}")
    if pruning:
        return _prune(folder, 3 if keep is None else keep, yes, as_json)
    if activate is not None:
        from viner.bundle import read_bundle

        project = find_project(folder)
        for path in project.models():
            if path.name == activate:
                bundle = read_bundle(path)  # a damaged one would leave the project without a recognizer
                if verify:
                    bundle.verify()
        model = project.activate(activate)
        if as_json:
            echo_json({"active": str(model)})
        else:
            click.echo(f"Active: {model}. A workbench that is running follows within a second.")
        return 0
    return _list(folder, verify, as_json)


def _list(folder: Path, verify: bool, as_json: bool) -> int:
    from viner.errors import InputError

    rows = [_describe(path, verify) for path in _model_folders(folder)]
    if not rows:
        raise InputError("no models here", where=folder, hint="Train one with: viner train --train FILE --out DIR")
    active = _active(folder)
    for row in rows:
        row["active"] = active is not None and Path(row["path"]) == active
    if as_json:
        echo_json({"models": rows})
    else:
        for row in rows:
            click.echo(f"{row['path']}: {row['error']}" if row["error"] else _line(row))
    return 1 if any(row["error"] for row in rows) else 0


def _active(folder: Path) -> Path | None:
    from viner.errors import InputError
    from viner.project import Project

    project = Project(folder)
    if not Project.is_project(folder):
        return None
    try:
        return project.active_model()
    except InputError as error:
        click.echo(f"{error}", err=True)
        return None


def _prune(folder: Path, keep: int, yes: bool, as_json: bool) -> int:
    project = find_project(folder)
    doomed = project.prunable(keep)
    if doomed:
        confirm(f"Remove {', '.join(path.name for path in doomed)} of {folder}?", yes=yes)
    for path in doomed:
        project.remove_model(path.name)
    if as_json:
        echo_json({"removed": [str(path) for path in doomed], "kept": [str(path) for path in project.models()]})
    else:
        click.echo(f"{len(doomed)} models removed, {len(project.models())} kept")
    return 0


def _model_folders(folder: Path) -> Iterator[Path]:
    if (folder / "viner.json").is_file():
        yield folder
        return
    for parent in (folder, folder / "models"):
        if parent.is_dir():
            yield from sorted(path for path in parent.iterdir() if (path / "viner.json").is_file())


def _describe(path: Path, verify: bool) -> dict[str, Any]:
    from viner.bundle import read_bundle
    from viner.errors import BundleError

    try:
        bundle = read_bundle(path)
        if verify:
            bundle.verify()
    except BundleError as error:
        return {"path": str(path), "error": str(error)}
    about = bundle.info.to_dict()
    del about["files"]
    return {"path": str(path), "error": None, **about}


def _line(row: dict[str, Any]) -> str:
    """One model for people: path, engine, number of types, micro F1 of each split it was evaluated on, whether it is active."""
    types = sum(len(layer["types"]) for layer in row["schema"]["layers"])
    figures = [f"{split} F1 {scores['micro']['f1']:.4f}" for split, scores in row["metrics"].items() if "micro" in scores]
    return "  ".join([f"{row['path']}:", row["engine"], f"{types} types", *figures, *(["active"] if row["active"] else [])])
