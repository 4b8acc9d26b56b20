"""The rules of a project: dictionaries and patterns together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from viner.annotation.suggest.dictionaries import DictionaryMatcher
from viner.annotation.suggest.patterns import PatternMatcher
from viner.document import Document, Entity
from viner.project import Dictionary, Pattern

DICTIONARY = "dictionary"
PATTERN = "pattern"


class Rules:
    """Suggests without a model.

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
        described = json.dumps([[asdict(rule) for rule in rules] for rules in (dictionaries, patterns)])
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
