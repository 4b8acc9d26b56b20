"""What several trainings learn from: the files that were named, or those of a project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from viner.cli.options import FILE, F
from viner.cli.projects import find_project, has_store, open_store
from viner.errors import UsageError

if TYPE_CHECKING:
    from viner.schema import Schema


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """Annotated files.

    Args:
        train: To learn from.
        dev: To score on; None where a part of ``train`` is set aside.
        schema: The types; None where the files say.
        arguments: What names them for ``viner train``, with a place for the model.
    """

    train: Path
    dev: Path | None
    schema: Schema | None
    arguments: tuple[str, ...]


def training_files_options(function: F) -> F:
    """``--train``, ``--dev`` and ``--project``: what :func:`training_files` takes."""
    for option in (
        click.option(
            "--project", type=FILE, metavar="DIR", help="Project folder, in the place of files: what is annotated there."
        ),
        click.option("--dev", type=FILE, help="Annotated file to score on; a tenth of --train if not given."),
        click.option("--train", type=FILE, help="Annotated file to learn from."),
    ):
        function = option(function)
    return function


@contextmanager
def training_files(
    train: Path | None, dev: Path | None, project: Path | None, options: dict[str, Any]
) -> Iterator[TrainingFiles]:
    """The files to learn from; those of a project with a store are written for the block, and gone with it.

    Args:
        train: The file that was named.
        dev: The file that was named to score on.
        project: The project that was named.
        options: Of the verb; how files are read does not go with a project.

    Raises:
        UsageError: If there is neither a file nor a project, or both.
        InputError: If the project cannot be read, or there is too little to learn from.
    """
    if project is None:
        if train is None:
            raise UsageError("there is nothing to learn from", hint="Give --train FILE, or --project DIR")
        named = () if dev is None else ("--dev", str(dev))
        yield TrainingFiles(train, dev, None, ("--train", str(train), *named, "--out", "models/NAME"))
        return
    given = {"train": train, "dev": dev, "format": options.get("format"), "option": options.get("read_options")}
    for name, value in given.items():
        if value:
            raise UsageError(f"--{name} does not go with --project", hint="Leave one of them away")
    folder = find_project(project)
    arguments = ("--project", str(project))
    if not has_store(folder):
        files = folder.training_files()
        yield TrainingFiles(files["train"], files.get("dev"), folder.schema(), arguments)
        return
    with open_store(project) as store, TemporaryDirectory(prefix="viner-") as place:
        from viner.annotation.snapshot import snapshot

        taken = snapshot(store, Path(place))
        yield TrainingFiles(taken.files["train"], taken.files.get("dev"), taken.schema, arguments)
