"""A project: the folder that holds the data, the models and the settings of one task.

::

    viner.toml                        schema and settings
    data/{train,dev,test}.jsonl       annotated documents; dev and test may be missing
    models/001, models/002, …         one folder a training
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from viner.errors import InputError, SchemaError
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
        try:
            settings = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"it cannot be read ({error})", where=path) from error
        if "schema" not in settings:
            return None
        try:
            return Schema.from_dict(settings["schema"])
        except SchemaError as error:
            place = str(path) if error.where is None else f"{path}: {error.where}"
            raise SchemaError(error.message, where=place, hint=error.hint) from error

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
        number = max((int(folder.name) for folder in self.models()), default=0) + 1
        return {split: file for split, file in files.items() if file.is_file()} | {
            "out": self.path / "models" / f"{number:03d}"
        }

    def models(self) -> list[Path]:
        """The model folders, oldest first."""
        folders = self.path / "models"
        if not folders.is_dir():
            return []
        return sorted((folder for folder in folders.iterdir() if folder.name.isdecimal()), key=lambda folder: int(folder.name))

    def active_model(self) -> Path:
        """The model that recognizes for the project: the newest one.

        Raises:
            InputError: If nothing has been trained yet.
        """
        models = self.models()
        if not models:
            raise InputError(
                "the project has no model yet", where=self.path, hint=f"Train one with: viner train --project {self.path}"
            )
        return models[-1]
