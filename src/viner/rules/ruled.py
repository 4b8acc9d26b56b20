"""A recognizer and rules that answer together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from viner.document import Document
from viner.errors import InputError, UsageError
from viner.paths import expanded
from viner.project import Project
from viner.rules.recognition import RecognitionRules
from viner.schema import ENTITIES, Schema


class RecognizerLike(Protocol):
    """What rules ask of a recognizer; :class:`viner.runtime.Recognizer` is one."""

    @property
    def schema(self) -> Schema:
        """The layers that it answers."""

    @property
    def info(self) -> Any:
        """What the model says about itself."""

    @property
    def stream(self) -> Callable[..., Iterator[Document]]:
        """Gives the documents of many texts, in input order."""


R = TypeVar("R", bound=RecognizerLike)


class RuledRecognizer(Generic[R]):
    """Recognizes as a model does, and then applies rules: those over the model win, those under it fill in.

    Safe to call from several threads at once if the recognizer is. What rules make of a document depends on its text, its
    words and the model's answer alone, so the answer is the same whatever documents are around it.

    Args:
        recognizer: The model.
        rules: The rules.

    Attributes:
        recognizer: The model alone.
        rules: The rules.
        schema: The layers of the answers: the model's, with the types of the rules that the model does not know.
    """

    def __init__(self, recognizer: R, rules: RecognitionRules) -> None:
        self.recognizer = recognizer
        self.rules = rules
        self.schema = rules.extend(recognizer.schema)
        self._ranks = {name: rank for rank, name in enumerate(self.schema.entity_labels)}

    @property
    def info(self) -> Any:
        """What the model says about itself; it knows nothing of rules."""
        return self.recognizer.info

    @property
    def least_score(self) -> float | None:
        """As of the recognizer: entities of the model with a lower score are left out; None leaves that to the model."""
        score: float | None = getattr(self.recognizer, "least_score", None)
        return score

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the entity types."""
        return self.schema[ENTITIES].names

    def with_least_score(self, score: float | None) -> RuledRecognizer[Any]:
        """The same model and rules, which leaves out other entities of the model; see :class:`viner.runtime.Recognizer`."""
        return RuledRecognizer(_asked_for(self.recognizer, score), self.rules)

    def __call__(self, item: str | Document, /) -> Document:
        """Recognizes one text; see :meth:`stream`."""
        (document,) = self.stream([item])
        return document

    def stream(self, items: Iterable[str | Document], /, **options: Any) -> Iterator[Document]:
        """Recognizes many texts, in constant memory.

        Args:
            items: As the recognizer takes them.
            **options: Handed on to the recognizer.

        Yields:
            For each item in order the recognizer's document. Entities of rules have the source "dictionary" or "pattern" and
            no score.
        """
        for document in self.recognizer.stream(items, **options):
            yield self.rules.apply(document, self._ranks)

    def judged(self, items: Iterable[str | Document], /) -> Iterator[tuple[Document, float]]:
        """Documents as :meth:`stream` gives them, each with how unsure of it the model is, in [0, 1], if the model can tell."""
        recognizer: Any = self.recognizer
        for document, uncertainty in recognizer.judged(items):
            yield self.rules.apply(document, self._ranks), uncertainty


def everything(recognizer: Any) -> Any:
    """A recognizer of which no ``least_score`` was asked for, with all that its model finds; any other as it is.

    Raises:
        UsageError: If it leaves out what its model is unsure of, and cannot be changed, as one whose workers have the model.
    """
    return _asked_for(recognizer, 0) if getattr(recognizer, "least_score", 0) is None else recognizer


def _asked_for(recognizer: Any, score: float | None) -> Any:
    if not hasattr(recognizer, "with_least_score"):
        if not hasattr(recognizer, "least_score"):
            return recognizer  # it leaves nothing out
        kind = type(recognizer).__name__
        raise UsageError(
            f"this {kind} answers without what its model is unsure of, and here all is wanted",
            hint=f"Make it with least_score=0, as in {kind}(model, least_score=0)",
        )
    return recognizer.with_least_score(score)


def with_rules(recognizer: R, model: str | Path, rules: str | Path | Literal[False] | None = None) -> R | RuledRecognizer[R]:
    """A recognizer with the rules that go with it, or as it is where none do.

    Args:
        recognizer: The recognizer.
        model: What it was loaded from; see :func:`rules_beside`.
        rules: As for :func:`rules_beside`.

    Raises:
        InputError: As :func:`rules_beside` does.
    """
    found = rules_beside(model, rules)
    return recognizer if found is None else RuledRecognizer(recognizer, found)


def rules_beside(model: str | Path, rules: str | Path | Literal[False] | None = None) -> RecognitionRules | None:
    """The rules that recognize beside a model; None where none do.

    Args:
        model: A model by any name. If it is a project, the project's rules go with it, unless others are given.
        rules: A TOML file with ``[rules]`` instead; False for no rules at all.

    Raises:
        InputError: If the rules cannot be read or used, or none of the given file recognizes; ``where`` names file and key.
    """
    if rules is False:
        return None
    if rules is not None:
        given = RecognitionRules.read(rules)
        if not given:
            raise InputError(
                "none of its rules recognizes",
                where=rules,
                hint='Rules only suggest unless they say otherwise: write recognize = "over" or "under" below [rules],'
                " or below single rules",
            )
        return given
    folder = expanded(model)
    return (RecognitionRules.read(folder / "viner.toml") or None) if Project.is_project(folder) else None
