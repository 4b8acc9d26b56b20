"""A Space in which a team annotates: the workbench of a project, whose texts and annotations lie in a PostgreSQL database.

What is published are the settings of the project: ``viner.toml`` without its database and its comments, the guideline, the
lists of terms, and the active model, which suggests. No text, no annotation and no account leaves the machine with it.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

from viner.bundle import Bundle
from viner.errors import InputError, MissingExtraError
from viner.formats.files import real_path
from viner.project import Project
from viner.project.toml import read_toml
from viner.publishing.model import copy_model, find_model

PROJECT = "project"
"""The folder of the project within the Space."""


def suggesting_model(project: Project) -> Bundle | None:
    """The model that suggests, in a folder of its name; None where there is none yet.

    Raises:
        InputError: If the model that is named as active is gone.
        BundleError: If it is no whole model folder.
    """
    try:
        model = project.active_model()
    except InputError:
        if project.models():
            raise
        return None
    return find_model(model)


def write_project(project: Project, model: Bundle | None, folder: Path) -> None:
    """Writes what a Space serves of a project.

    Args:
        project: The project.
        model: The model that suggests (:func:`suggesting_model`).
        folder: The folder of the Space.

    Raises:
        InputError: If ``viner.toml`` cannot be read or says what cannot be used.
        MissingExtraError: If tomlkit is not installed.
        OSError: If it cannot be written.
    """
    try:
        import tomlkit
    except ImportError as error:
        raise MissingExtraError("publishing a workbench", "app") from error

    target = folder / PROJECT
    target.mkdir()
    settings = project.settings()
    about = read_toml(project.path / "viner.toml")
    about.pop("store", None)  # its URL may hold a password, and so may a comment: none is taken along
    about.setdefault("name", settings.name)  # else it is the folder's, which is another one there
    for name, inner in _named_files(project.path, settings.annotation.guideline, about).items():
        (target / inner).parent.mkdir(parents=True, exist_ok=True)
        (target / inner).write_bytes((project.path / name).read_bytes())
    (target / "viner.toml").write_text(tomlkit.dumps({"name": about.pop("name"), **about}), encoding="utf-8", newline="\n")
    if model is not None:
        copy_model(model, target / "models" / model.path.name)


def _named_files(folder: Path, guideline: str, about: dict[str, Any]) -> dict[str, str]:
    """The files that ``viner.toml`` names: guideline and lists of terms.

    Args:
        folder: The project; its settings were read, so that all of them lie within its folder.
        guideline: Name of the guideline, whether or not there is one.
        about: The content of ``viner.toml``, in which names that hold only on this machine are replaced.

    Returns:
        Their names there, each with the path within the project folder.
    """
    found = {guideline: _inner(folder, guideline)} if (folder / guideline).is_file() else {}
    annotation = about.get("annotation", {})
    if "guideline" in annotation:
        annotation["guideline"] = found.get(guideline, guideline)
    for item in about.get("rules", {}).get("dictionaries", ()):
        if "file" in item:
            name = item["file"]
            item["file"] = found[name] = _inner(folder, name)
    return found


def _inner(folder: Path, name: str) -> str:
    """A path within a folder by which it is found wherever the folder lies."""
    path = PurePath(name)
    if not path.is_absolute() and ".." not in path.parts:
        return path.as_posix()
    return real_path(folder / name).relative_to(real_path(folder)).as_posix()
