"""The next model of a project, made from one that is there: the models of a project never change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from viner.bundle import Bundle
from viner.project import Project


def project_of(bundle: Bundle) -> Project | None:
    """The project among whose models a model folder is; None if it stands alone."""
    place = bundle.path.resolve()
    project = Project(place.parent.parent)
    inside = place.parent.name == "models" and place.name.isdecimal() and Project.is_project(project.path)
    return project if inside else None


def succeed(project: Project, bundle: Bundle, write: Callable[[Path], object]) -> tuple[Path, bool]:
    """Makes the next model of a project, which recognizes from then on if the model that it was made from did.

    Args:
        project: The project.
        bundle: The model that it is made from.
        write: Writes the model folder that it is given.

    Returns:
        The folder, and whether it recognizes for the project now.
    """
    project.active_model()  # what is wrong with it is told before hours of work
    written = project.next_model()
    write(written)
    active = project.active_model(but=written)  # asked only now: somebody may have activated another one meanwhile
    serves = active.resolve() == bundle.path.resolve()
    project.activate(written.name if serves else active.name)  # else the newest would be, whatever it was made from
    return written, serves
