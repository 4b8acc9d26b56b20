"""The project that a verb works on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from viner.cli.options import FILE
from viner.paths import expanded

if TYPE_CHECKING:
    from viner.project import Project
    from viner.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def project_option(function: F) -> F:
    """``--project``: the folder; without it the current one, when that is a project."""
    return click.option("--project", "-p", type=FILE, metavar="DIR", help="Project folder; the current one if not given.")(
        function
    )


def find_project(folder: Path | None) -> Project:
    """The project in a folder.

    Args:
        folder: The folder; None is the current one.

    Raises:
        UsageError: If no folder is given and the current one is no project.
        InputError: If the folder is no project.
    """
    from viner.errors import InputError, UsageError
    from viner.project import Project

    if folder is None:
        if not Project.is_project(Path()):
            raise UsageError(
                "which project? The current folder is none",
                where=Path.cwd(),
                hint="Give --project DIR, or make one with: viner init DIR",
            )
        return Project(Path())
    folder = expanded(folder)
    if not folder.is_dir():
        raise InputError("there is no such folder", where=folder, hint="If the project was moved, give its new place")
    if not Project.is_project(folder):
        raise InputError("no project: it has no viner.toml", where=folder, hint="Make one with: viner init DIR")
    return Project(folder)


def open_store(folder: Path | None, *, create: bool = False) -> Store:
    """The store of a project.

    Args:
        folder: The project folder; None is the current one.
        create: Make it if there is none yet.

    Raises:
        UsageError: If no folder is given and the current one is no project.
        VinerError: If the store cannot be opened.
    """
    project = find_project(folder)
    require_app("the store")
    from viner.store import Store

    return Store.of_project(project, create=create)


def has_store(project: Project) -> bool:
    """Whether a project's annotations lie in a store, which needs no database to be asked for."""
    file = project.settings().database_file
    return file is None or file.exists()


def require_app(feature: str) -> None:
    """Says which extra to install when the packages of the workbench are missing.

    Raises:
        MissingExtraError: If one is missing.
    """
    from importlib.util import find_spec

    from viner.errors import MissingExtraError

    if any(find_spec(package) is None for package in ("sqlalchemy", "alembic", "tomlkit")):
        raise MissingExtraError(feature, "app")


def confirm(question: str, *, yes: bool) -> None:
    """Asks before something is gone for good.

    Args:
        question: What to ask.
        yes: The answer was given on the command line.

    Raises:
        UsageError: If there is no terminal to ask on.
        click.Abort: If the answer is no.
    """
    import sys

    from viner.errors import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("this cannot be taken back, and there is no terminal to ask on", hint="Give --yes to do it")
    click.confirm(question, abort=True, err=True)
