"""``viner models``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from viner.cli.options import FILE, json_option
from viner.cli.terminal import echo_json


@click.command(short_help="List the models of a folder or project, and verify them.")
@click.argument("folder", type=FILE, default=Path())
@json_option
def models(folder: Path, as_json: bool) -> int:
    """List the models of FOLDER, a model itself, a project, or a folder of models, and verify that each is complete.

    Exit status 1 when a model is damaged.

    \b
    Example:
      viner models covid
      viner models models/003 --json
    """
    rows = [_describe(path) for path in _model_folders(folder)]
    if as_json:
        echo_json({"models": rows})
    else:
        for row in rows:
            click.echo(f"{row['model']}  {row['error'] or ', '.join(f'{k} {v}' for k, v in row['about'].items())}")
        if not rows:
            click.echo(f"no models in {folder}", err=True)
    return 1 if any(row["error"] for row in rows) else 0


def _model_folders(folder: Path) -> Iterator[Path]:
    if (folder / "viner.json").is_file():
        yield folder
        return
    for parent in (folder, folder / "models"):
        if parent.is_dir():
            yield from sorted(path for path in parent.iterdir() if (path / "viner.json").is_file())


def _describe(path: Path) -> dict[str, Any]:
    from viner.bundle import read_bundle
    from viner.errors import VinerError

    row: dict[str, Any] = {"model": str(path), "about": {}, "error": None}
    try:
        info = read_bundle(path).info
        row["about"] = {"engine": info.engine, "types": len(info.schema["entities"].types)}
    except VinerError as error:
        row["error"] = str(error)
    return row
