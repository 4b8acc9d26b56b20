"""The rules of a project: dictionaries and patterns together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from viner.document import Document, Entity
from viner.project import Dictionary, Pattern
from viner.rules.dictionaries import DictionaryMatcher
from viner.rules.patterns import PatternMatcher

DICTIONARY = "dictionary"
PATTERN = "pattern"


class Rules:
    """Suggests without a model, with all of them, whatever they do at recognition.

    Args:
        dictionaries: The project's dictionaries.
        patterns: The project's patterns.
        file: Where they come from, for errors.

    Attributes:
        fingerprint: Changes with the rules; empty where there are none.

    Raises:
        InputError: If a term or pattern cannot be used; ``where`` names file and rule, such as
            ``viner.toml: rules.patterns[2].pattern``.
    """

    def __init__(
        self, dictionaries: Sequence[Dictionary] = (), patterns: Sequence[Pattern] = (), *, file: str = "viner.toml"
    ) -> None:
        self._dictionaries = DictionaryMatcher(dictionaries, file=file)
        self._patterns = PatternMatcher(patterns, file=file)
        # What a rule does at recognition, and where it stands, changes nothing about what it suggests.
        described = json.dumps(
            [
                [{"label": rule.label, "terms": rule.terms, "ignore_case": rule.ignore_case} for rule in dictionaries],
                [{"label": rule.label, "pattern": rule.pattern} for rule in patterns],
            ]
        )
        self.fingerprint = hashlib.sha256(described.encode()).hexdigest()[:12] if dictionaries or patterns else ""

    def suggest(self, document: Document) -> list[list[Entity]]:
        """What the rules find in a document, a list for each kind of rule, the one to be preferred first."""
        return [
            [
                Entity(hit.start, hit.end, hit.label, source=DICTIONARY)
                for hit in self._dictionaries.find(document.text, document.words)
            ],
            [Entity(hit.start, hit.end, hit.label, source=PATTERN) for hit in self._patterns.find(document.text)],
        ]
