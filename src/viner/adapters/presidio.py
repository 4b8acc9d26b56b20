"""A recognizer for Presidio: ``AnalyzerEngine`` finds what a model of viner finds, beside its own patterns and checksums."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import viner
from viner.document import Entity
from viner.errors import MissingExtraError, UsageError
from viner.rules import RuledRecognizer, everything, with_rules

try:
    from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
except ImportError:
    raise MissingExtraError("the Presidio recognizer", "presidio") from None

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts
    from spacy.language import Language
    from spacy.tokens import Doc


class VinerRecognizer(EntityRecognizer):
    """Finds the entities of a model, with exact offsets, for Presidio's ``AnalyzerEngine``.

    An engine asks for one language at a time, so a model for several languages is registered once for each; ``recognizer``
    shares it.

    Args:
        model: A model folder, a project or a Hub id, as :func:`viner.load` takes it; or a recognizer that is loaded already,
            for instance ``other.recognizer``. Where no ``least_score`` was asked for, it gives all that it finds, since
            Presidio has thresholds of its own.
        supported_language: The language (ISO 639-1) that it answers for.
        entities: What Presidio calls a label, such as ``{"LOC": "LOCATION"}``. A label that is missing keeps its name, one that
            is None is not reported.
        rules: A TOML file with ``[rules]``; None takes those of a project, or of the recognizer; False none.
        name: The name that Presidio shows.
        options: What else Presidio's ``EntityRecognizer`` takes.

    Attributes:
        recognizer: The model, with its rules.

    Raises:
        BundleError: If the model cannot be loaded.
        UsageError: If ``entities`` names a label that the model does not have.
    """

    def __init__(
        self,
        model: Any,
        supported_language: str = "vi",
        *,
        entities: Mapping[str, str | None] | None = None,
        rules: str | Path | Literal[False] | None = None,
        name: str = "VinerRecognizer",
        **options: Any,
    ) -> None:
        loaded = viner.load(model, rules=rules) if isinstance(model, str | Path) else _ruled(model, rules)
        self.recognizer = everything(loaded)  # Presidio has thresholds of its own
        labels = self.recognizer.schema.entity_labels
        unknown = sorted(set(entities or {}) - set(labels))
        if unknown:
            raise UsageError(
                f"the model has no label {unknown[0]!r}", where="entities", hint=f"Its labels: {', '.join(labels) or 'none'}"
            )
        self._names = {label: (entities or {}).get(label, label) for label in labels}
        supported = list(dict.fromkeys(name for name in self._names.values() if name is not None))
        super().__init__(
            supported_entities=supported, supported_language=supported_language, name=name, version=viner.__version__, **options
        )

    def load(self) -> None:
        """Presidio's hook for loading; the model is there already."""

    def analyze(
        self, text: str, entities: Sequence[str] | None = None, nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """The entities of a text.

        Args:
            text: The raw text.
            entities: Names in Presidio's words to look for; None or none at all looks for all.
            nlp_artifacts: What spaCy made of the text; not looked at.

        Returns:
            Results with offsets in code points. The score is the model's; an entity of a rule has 1.0, for somebody decided it.

        Raises:
            InputError: If the text holds a lone surrogate.
        """
        found = []
        for entity in self.recognizer(text).entities or ():
            name = self._names.get(entity.label)
            if name is not None and (not entities or name in entities):
                found.append(self._result(entity, name))
        return found

    def _result(self, entity: Entity, name: str) -> RecognizerResult:
        score = self.MAX_SCORE if entity.score is None else entity.score
        return RecognizerResult(
            entity_type=name,
            start=entity.start,
            end=entity.end,
            score=score,
            analysis_explanation=AnalysisExplanation(
                recognizer=self.name,
                original_score=score,
                textual_explanation=f"{entity.label}, found by {entity.source or 'model'}",
            ),
            recognition_metadata={
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            },
        )


class BlankNlpEngine(SpacyNlpEngine):
    """What Presidio needs of spaCy and no more: tokens, for the words around an entity. It downloads and finds nothing.

    Args:
        languages: Languages (ISO 639-1) that an ``AnalyzerEngine`` is to analyze.
    """

    def __init__(self, *languages: str) -> None:
        super().__init__(models=[{"lang_code": language, "model_name": "blank"} for language in languages])

    def load(self) -> None:
        """Makes an empty pipeline for each language."""
        self.nlp = {model["lang_code"]: _blank() for model in self.models}

    def _doc_to_nlp_artifact(self, doc: Doc, language: str) -> NlpArtifacts:
        for token in doc:
            token.lemma_ = token.text  # by which Presidio finds the words around an entity
        return super()._doc_to_nlp_artifact(doc, language)


def _blank() -> Language:
    import spacy

    # Not the language's own tokenizer: that of Vietnamese, for one, needs a package of its own.
    nlp = spacy.blank("xx")
    nlp.max_length = sys.maxsize  # what grows with a text is in parts that are not here
    return nlp


def _ruled(recognizer: Any, rules: str | Path | Literal[False] | None) -> Any:
    if rules is None:
        return recognizer
    return with_rules(recognizer.recognizer if isinstance(recognizer, RuledRecognizer) else recognizer, "", rules)
