"""The model in service: it can be changed under load, and no request notices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from viner.bundle import BundleInfo
from viner.document import Document
from viner.errors import VinerError
from viner.rules import RecognitionRules, RuledRecognizer
from viner.runtime import Recognizer
from viner.schema import Schema
from viner.studio.mapped import Answering, MappedRecognizer

LabelMap = Callable[[Schema], tuple[Schema, Mapping[str, str | None]]]
"""From a model's schema to today's, and today's label (or None) for each label of the model."""


class NoModelError(VinerError):
    """The project has no model yet."""

    code = "no_model"


Ruled = RuledRecognizer[MappedRecognizer]


class ServingRecognizer:
    """Recognizes with the model in service, in the labels of today's schema, and with the rules that go with it.

    What people and programs ask is answered by model and rules. What suggests, and what compares models, asks the model alone:
    :meth:`served`. Safe to call from several threads at once.

    A call holds on to the model that it began with, also a long :meth:`stream`. After a :meth:`switch` the old model therefore
    lives until the last such call has ended, and then goes.

    Args:
        label_map: How a model's labels are called today.
        load: Loads a model folder.
    """

    def __init__(self, label_map: LabelMap, load: Callable[[Path], Answering] = Recognizer.load) -> None:
        self._label_map = label_map
        self._load = load
        self._switching = threading.Lock()
        self._rules: RecognitionRules | None = None
        self._serving: tuple[Path, Answering, MappedRecognizer, MappedRecognizer | Ruled] | None = None

    @property
    def path(self) -> Path | None:
        """Folder of the model in service; None without one."""
        serving = self._serving
        return None if serving is None else serving[0]

    @property
    def name(self) -> str | None:
        """Name of the model in service, such as "003"; None without one."""
        path = self.path
        return None if path is None else path.name

    def switch(self, path: Path | None) -> None:
        """Puts another model into service. It is loaded beside the old one, which goes on serving until then.

        Args:
            path: The model folder; None leaves the project without a model.

        Raises:
            BundleError: If the model cannot be loaded; the old one stays in service.
        """
        with self._switching:
            self._serving = None if path is None else self._mapped(path, self._load(path))

    def remap(self) -> None:
        """Looks the labels up again, after the schema has changed."""
        with self._switching:
            if self._serving is not None:
                self._serving = self._mapped(*self._serving[:2])

    def use(self, rules: RecognitionRules | None) -> None:
        """Puts other rules into service.

        Args:
            rules: Rules whose labels are in today's schema; None for none.
        """
        with self._switching:
            self._rules = rules
            if self._serving is not None:
                path, model, mapped, _ = self._serving
                self._serving = path, model, mapped, self._ruled(mapped)

    def current(self) -> MappedRecognizer | Ruled:
        """Model and rules in service, for several calls that must all go to the same ones.

        Raises:
            NoModelError: If there is none.
        """
        serving = self._serving
        if serving is None:
            raise NoModelError(
                "the project has no model yet", hint="Mark some documents as done, then start a training on the page Train"
            )
        return serving[3]

    def served(self) -> tuple[str, MappedRecognizer] | None:
        """Name of the model in service together with the model, without rules; None without one."""
        serving = self._serving
        return None if serving is None else (serving[0].name, serving[2])

    @property
    def schema(self) -> Schema:
        """Today's schema."""
        return self.current().schema

    @property
    def info(self) -> BundleInfo:
        """What the model in service says about itself."""
        return self.current().info

    def __call__(self, text: str | Document, /) -> Document:
        """The document of one text, with words and scored entities.

        Raises:
            NoModelError: If there is no model.
        """
        return self.current()(text)

    def stream(self, texts: Iterable[str | Document], /, **options: Any) -> Iterator[Document]:
        """The documents of many texts, in input order, all by the model that is in service now.

        Raises:
            NoModelError: If there is no model.
        """
        return self.current().stream(texts, **options)

    def judged(self, texts: Iterable[str | Document], /) -> Iterator[tuple[Document, float]]:
        """Documents in input order, each with how unsure of it the model is, in [0, 1].

        Raises:
            NoModelError: If there is no model.
        """
        return self.current().judged(texts)

    def _mapped(self, path: Path, model: Answering) -> tuple[Path, Answering, MappedRecognizer, MappedRecognizer | Ruled]:
        schema, labels = self._label_map(model.info.schema)
        mapped = MappedRecognizer(model, schema, labels)
        return path, model, mapped, self._ruled(mapped)

    def _ruled(self, mapped: MappedRecognizer) -> MappedRecognizer | Ruled:
        return mapped if self._rules is None else RuledRecognizer(mapped, self._rules)
