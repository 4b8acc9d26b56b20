"""A project: the folder that holds the data, the models and the settings of one task.

::

    viner.toml                        schema and settings
    viner.db                          texts and annotations, from the first import on (or PostgreSQL, by URL)
    GUIDELINE.md                      what annotators are told
    data/{train,dev,test}.jsonl       annotated documents of a project without a store; dev and test may be missing
    models/001, models/002, …         one folder a training
    models/active                     the name of the model that recognizes; without it the newest does
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from viner.errors import InputError, SchemaError, VinerError
from viner.project.rules import labeled_rules
from viner.project.settings import ProjectSettings, read_settings
from viner.project.toml import Relabel, read_toml, replace_schema, write_text
from viner.schema import Schema


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder.

    Args:
        path: The folder. It is looked at only when something is asked of it.
    """

    path: Path

    @classmethod
    def is_project(cls, path: Path) -> bool:
        """Whether a folder is a project."""
        return (path / "viner.toml").is_file()

    def schema(self) -> Schema | None:
        """The schema in ``viner.toml``, or None where it has none.

        It is written so::

            [[schema.layers]]
            name = "entities"
            kind = "entities"
            types = [{name = "PERSON", description = "Names of people"}, "PLACE"]

        Raises:
            InputError: If the file cannot be read as TOML.
            SchemaError: If its schema contradicts itself.
        """
        path = self.path / "viner.toml"
        settings = read_toml(path)
        if "schema" not in settings:
            return None
        try:
            return Schema.from_dict(settings["schema"])
        except SchemaError as error:
            place = str(path) if error.where is None else f"{path}: {error.where}"
            raise SchemaError(error.message, where=place, hint=error.hint) from error

    def settings(self) -> ProjectSettings:
        """What ``viner.toml``, the environment and the guideline say, checked and complete.

        Raises:
            InputError: If a file cannot be read, a key is unknown or its value cannot be used; ``where`` is file and key.
        """
        return read_settings(self.path, read_toml(self.path / "viner.toml"))

    def write_schema(self, schema: Schema, relabel: Relabel | None = None) -> int:
        """Puts a schema into ``viner.toml`` in the place of the one there; comments and settings stay.

        Args:
            schema: The schema.
            relabel: Gives the rules other labels in the same step; None leaves them as they are.

        Returns:
            How many rules got another label.

        Raises:
            InputError: If the file cannot be read.
            MissingExtraError: If tomlkit is not installed.
            VinerError: If it cannot be written; then it is as before.
        """
        return replace_schema(self.path / "viner.toml", schema, relabel)

    def rule_labels(self) -> list[str]:
        """The label of each rule in ``viner.toml`` that has one.

        Raises:
            InputError: If the file cannot be read.
        """
        return [str(rule["label"]) for _, rule in labeled_rules(read_toml(self.path / "viner.toml"))]

    def training_files(self) -> dict[str, Path]:
        """Where a training reads and writes: "train", "dev" and "test" as far as they exist, and "out", the next model folder.

        Raises:
            InputError: If there is nothing to train on.
        """
        files = {split: self.path / "data" / f"{split}.jsonl" for split in ("train", "dev", "test")}
        if not files["train"].is_file():
            raise InputError(
                "the project has no training data", where=files["train"], hint="Put annotated documents there, in viner's JSONL"
            )
        return {split: file for split, file in files.items() if file.is_file()} | {
            "out": self._unfinished() or self.next_model()
        }

    def next_model(self) -> Path:
        """The folder of the next model. Its number is that of no model and of no training, begun or done, which makes one."""
        runs, models = self.path / "runs", self.path / "models"
        names = [folder.name for folder in (*self.models(), *(runs.iterdir() if runs.is_dir() else ()))]
        names += [folder.stem for folder in models.glob("*.training")]
        number = max((int(name) for name in names if name.isdecimal()), default=0) + 1
        return models / f"{number:03d}"

    def _unfinished(self) -> Path | None:
        """The model that a training was to write which was interrupted: when it is started again, it goes on there."""
        models = self.path / "models"
        begun = [folder.with_suffix("") for folder in models.glob("*.training") if folder.stem.isdecimal()]
        return max((model for model in begun if not model.exists()), key=lambda model: int(model.name), default=None)

    def models(self) -> list[Path]:
        """The model folders, oldest first."""
        folders = self.path / "models"
        if not folders.is_dir():
            return []
        return sorted((folder for folder in folders.iterdir() if folder.name.isdecimal()), key=lambda folder: int(folder.name))

    def active_model(self, *, but: Path | None = None) -> Path:
        """The model that recognizes for the project: the one that ``models/active`` names, else the newest that is one.

        Args:
            but: A model that is not counted among the newest.

        Raises:
            InputError: If nothing has been trained yet, or the model that ``models/active`` names is gone.
        """
        models = [model for model in self.models() if model != but]
        if not models:
            raise InputError(
                "the project has no model yet", where=self.path, hint=f"Train one with: viner train --project {self.path}"
            )
        pointer = self._pointer()
        if not pointer.is_file():
            return next((model for model in reversed(models) if _is_model(model)), models[-1])
        try:
            return self._model(pointer.read_text(encoding="utf-8").strip())
        except InputError as error:
            raise InputError(error.message, where=pointer, hint=f"{error.hint}, or remove that file") from None
        except (OSError, ValueError) as error:
            raise InputError(f"it cannot be read ({error})", where=pointer) from error

    def activate(self, name: str) -> Path:
        """Makes a model the one that recognizes, until another is activated.

        Args:
            name: Name of its folder, such as "003".

        Returns:
            The model folder.

        Raises:
            InputError: If the project has no such model.
            VinerError: If ``models/active`` cannot be written.
        """
        model = self._model(name)
        write_text(self._pointer(), f"{model.name}\n")
        return model

    def prunable(self, keep: int) -> list[Path]:
        """The models that are neither among the newest nor active, oldest first. A folder that is none stays.

        Args:
            keep: How many of the newest stay, at least 1.

        Raises:
            InputError: If the active model is gone.
        """
        models = [model for model in self.models() if _is_model(model)]
        spared = {*models[-keep:], *([self.active_model()] if models else [])}
        return [model for model in models if model not in spared]

    def remove_model(self, name: str) -> None:
        """Removes a model that is not active, and what is kept of its training and its comparisons.

        Raises:
            InputError: If the project has no such model, or it is the active one.
            VinerError: If it cannot be removed.
        """
        model = self._model(name)
        if model == self.active_model():
            raise InputError("the active model cannot be removed", where=model, hint="Activate another one first")
        doomed = model.with_name(f".{model.name}.removed")
        try:
            # The name goes at once, so that nobody loads half a model.
            model.rename(doomed)
            shutil.rmtree(doomed)
            shutil.rmtree(self.path / "runs" / model.name, ignore_errors=True)
            (self.path / "runs" / "comparisons" / f"{model.name}.json").unlink(missing_ok=True)
        except OSError as error:
            raise VinerError(f"cannot be removed: {error.strerror or error}", where=model) from error

    def _pointer(self) -> Path:
        return self.path / "models" / "active"

    def _model(self, name: str) -> Path:
        for folder in self.models():
            if folder.name == name:
                return folder
        known = ", ".join(folder.name for folder in self.models()) or "none"
        raise InputError(f"the project has no model {name!r}", where=self.path, hint=f"Activate another: {known}")


def _is_model(folder: Path) -> bool:
    """Whether a folder is one that was written to its end, or copied so far."""
    return (folder / "viner.json").is_file()
