"""``viner models``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, json_option
from viner.cli.terminal import echo_json


@click.command(short_help="List the models of a folder or project, and check them.")
@click.argument("folder", type=FILE, default=Path())
@click.option("--verify", is_flag=True, help="Compare every file with its checksum, not only its size.")
@json_option
def models(folder: Path, verify: bool, as_json: bool) -> int:
    """List the models of FOLDER: a model itself, a project, or a folder of models. Each is checked to be complete.

    Exit status 1 when there is none, or one is damaged.

    \b
    Example:
      viner models covid
      viner models models/003 --verify
    """
    from viner.errors import InputError

    rows = [_describe(path, verify) for path in _model_folders(folder)]
    if not rows:
        raise InputError("no models here", where=folder, hint="Train one with: viner train --train FILE --out DIR")
    if as_json:
        echo_json({"models": rows})
    else:
        for row in rows:
            click.echo(f"{row['path']}: {row['error']}" if row["error"] else _line(row))
    return 1 if any(row["error"] for row in rows) else 0


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
    """One model for people: path, engine, number of types, and micro F1 of each split it was evaluated on."""
    types = sum(len(layer["types"]) for layer in row["schema"]["layers"])
    figures = [f"{split} F1 {scores['micro']['f1']:.4f}" for split, scores in row["metrics"].items() if "micro" in scores]
    return "  ".join([f"{row['path']}:", row["engine"], f"{types} types", *figures])
