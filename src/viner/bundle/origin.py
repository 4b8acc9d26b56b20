"""What a model was made of: where its base encoder and its training data come from, as far as anybody said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from viner.bundle.info import BundleInfo
from viner.project import Project
from viner.project.settings import UNDETERMINED


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a base encoder or a data set comes from.

    Args:
        name: Its name for people.
        id: Its id on the Hugging Face Hub.
        license: Its license, as the Hub's identifiers name it, such as "mit" or "cc0-1.0".
        languages: The languages that it knows or holds (BCP 47).
    """

    name: str | None = None
    id: str | None = None
    license: str | None = None
    languages: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form without empty fields."""
        fields = {"name": self.name, "id": self.id, "license": self.license, "languages": list(self.languages)}
        return {key: value for key, value in fields.items() if value}

    @classmethod
    def from_dict(cls, data: Any) -> Origin:
        """Reads the JSON form. What is not of that form counts as not said: no model is refused for it."""
        if not isinstance(data, Mapping):
            return cls()
        name, id_, license_ = (_text(data.get(key)) for key in ("name", "id", "license"))
        return cls(name, id_, license_, _texts(data.get("languages")))

    @classmethod
    def of_project(cls, project: Project) -> Origin:
        """Where the documents of a project come from.

        Raises:
            InputError: If its ``viner.toml`` cannot be read.
        """
        settings = project.settings()
        return cls(settings.name, languages=() if settings.language == UNDETERMINED else (settings.language,))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody said of a model where it was published: whoever publishes it on, or learns from it, goes by that.

    What they said of its training data, license and languages, is with the data (:func:`data_origin`).

    Args:
        title: Its title.
        license: Its license, as the Hub's identifiers name it.
        datasets: Ids of its training data on the Hub.
    """

    title: str | None = None
    license: str | None = None
    datasets: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form without empty fields."""
        fields = {"title": self.title, "license": self.license, "datasets": list(self.datasets)}
        return {key: value for key, value in fields.items() if value}

    @classmethod
    def of(cls, info: BundleInfo) -> Chosen:
        """What was said of a model. What is not of that form counts as not said."""
        return cls(_text(info.chosen.get("title")), _text(info.chosen.get("license")), _texts(info.chosen.get("datasets")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


BUNDLED_BASE = Origin("viner's bundled e5-small-vi-en", "intfloat/multilingual-e5-small", "mit", ("vi", "en"))
"""The encoder that ships with viner, and the one on the Hub that it was cut from."""


def base_origin(info: BundleInfo) -> Origin:
    """Where the base encoder of a model comes from."""
    known = Origin.from_dict(info.base)
    return BUNDLED_BASE if known.name == BUNDLED_BASE.name else known  # older models have no more


def data_origin(info: BundleInfo) -> Origin:
    """Where the training data of a model comes from."""
    return Origin.from_dict(info.data.get("source"))
