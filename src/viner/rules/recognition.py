"""The rules that recognize: those of a file that say ``recognize = "over"`` or ``"under"``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from viner.document import Document, Entity
from viner.errors import InputError
from viner.paths import expanded
from viner.project import Dictionary, Pattern
from viner.project.rules import NEVER, OVER, UNDER, read_rules
from viner.project.toml import read_toml
from viner.project.values import Table
from viner.rules.borders import Borders
from viner.rules.dictionaries import DictionaryMatcher
from viner.rules.patterns import PatternMatcher
from viner.rules.precedence import settle
from viner.rules.rules import DICTIONARY, PATTERN
from viner.schema import ENTITIES, Layer, Schema, Type


class RecognitionRules:
    """Makes a model's answer the answer of model and rules. Never changes, and is safe to use from several threads at once.

    Args:
        dictionaries: Dictionaries; those that do not recognize are left out.
        patterns: Patterns; those that do not recognize are left out.
        schema: What the labels of the rules must be in, and what is said about them there. None allows any label.
        file: Where the rules come from, for errors.

    Attributes:
        dictionaries: The dictionaries that recognize.
        patterns: The patterns that recognize.
        types: The types of their labels, in the order of the schema, or without one in that of the rules.
        file: Where they come from.

    Raises:
        InputError: If a term or pattern cannot be used, or a label is not in the schema; ``where`` names file and rule.
    """

    def __init__(
        self,
        dictionaries: Sequence[Dictionary] = (),
        patterns: Sequence[Pattern] = (),
        *,
        schema: Schema | None = None,
        file: str = "viner.toml",
    ) -> None:
        self.dictionaries = tuple(rule for rule in dictionaries if rule.recognize != NEVER)
        self.patterns = tuple(rule for rule in patterns if rule.recognize != NEVER)
        self.file = file
        rules: tuple[Dictionary | Pattern, ...] = (*self.dictionaries, *self.patterns)
        labels = dict.fromkeys(rule.label for rule in rules)
        if schema is None:
            self.types = tuple(map(Type, labels))
        else:
            for rule in rules:
                _check_label(rule, schema.entity_labels, file)
            known: dict[str, Type] = {}  # two layers may have a label of the same name
            for layer in schema:
                for item in layer.types if layer.kind == "entities" else ():
                    if item.name in labels:
                        known.setdefault(item.name, item)
            self.types = tuple(known.values())
        self._over, self._under = self._finder(OVER), self._finder(UNDER)

    @classmethod
    def read(cls, path: str | Path) -> RecognitionRules:
        """The rules that recognize of a TOML file: a ``viner.toml``, or one that has only ``[rules]``.

        Rules that only suggest are not looked at. If the file has a schema, the labels of the rules must be in it.

        Raises:
            InputError: If the file cannot be read or a rule cannot be used; ``where`` names file and key.
        """
        path = expanded(path)
        return cls.from_dict(read_toml(path), path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], file: Path) -> RecognitionRules:
        """The rules of the content of such a file; lists of terms that it names are looked for beside the file."""
        top = Table(data, file, "")
        dictionaries, patterns = read_rules(top.table("rules"), recognizing=True)
        schema = None
        if "schema" in data:
            try:
                schema = Schema.from_dict(data["schema"])
            except InputError as error:
                raise InputError(error.message, where=f"{file}: {error.where or 'schema'}", hint=error.hint) from error
        return cls(dictionaries, patterns, schema=schema, file=str(file))

    def to_dict(self) -> dict[str, Any]:
        """The rules in the form that :meth:`from_dict` reads, lists of terms included."""
        types = [item.to_dict() for item in self.types]
        return {
            "schema": {"layers": [{"name": ENTITIES, "kind": "entities", "types": types}]},
            "rules": {
                "dictionaries": [
                    {
                        "label": rule.label,
                        "terms": list(rule.terms),
                        "ignore_case": rule.ignore_case,
                        "recognize": rule.recognize,
                    }
                    for rule in self.dictionaries
                ],
                "patterns": [
                    {"label": rule.label, "pattern": rule.pattern, "recognize": rule.recognize} for rule in self.patterns
                ],
            },
        }

    def __len__(self) -> int:
        return len(self.dictionaries) + len(self.patterns)

    @property
    def count(self) -> str:
        """How many there are, for people: "3 rules"."""
        return f"{len(self)} rule{'' if len(self) == 1 else 's'}"

    def extend(self, schema: Schema) -> Schema:
        """A schema that has the types of the rules, too: those that it lacks come last in its layer of entities."""
        known = schema.entity_labels
        new = tuple(item for item in self.types if item.name not in known)
        if not new:
            return schema
        layers = {layer.name: layer for layer in schema}
        entities = layers.get(ENTITIES, Layer(ENTITIES, "entities", ()))
        layers[ENTITIES] = replace(entities, types=(*entities.types, *new))
        return Schema(tuple(layers.values()))

    def apply(self, document: Document, ranks: Mapping[str, int]) -> Document:
        """A model's answer with the rules in it; see :func:`viner.rules.precedence.settle`.

        Entities of rules have the source "dictionary" or "pattern" and no score: nothing tells how probable they are.
        Relations go with an entity that gave way.

        Args:
            document: What the model answered. Terms begin and end where its words do.
            ranks: For each label of a rule its rank in the schema.
        """
        borders = Borders(document.text)
        over, under = (finder.find(document, borders) for finder in (self._over, self._under))
        if not over and not under:
            return document
        entities = settle(len(document.text), document.entities or (), over, under, ranks)
        relations = document.relations
        if relations:
            ids = {entity.id for entity in entities}
            relations = [relation for relation in relations if relation.head in ids and relation.tail in ids]
        return replace(document, entities=entities, relations=relations)

    def _finder(self, recognize: str) -> _Finder:
        return _Finder(
            DictionaryMatcher([rule for rule in self.dictionaries if rule.recognize == recognize], file=self.file),
            PatternMatcher([rule for rule in self.patterns if rule.recognize == recognize], file=self.file),
        )


class _Finder:
    """Finds all spans that rules of one precedence could give."""

    def __init__(self, dictionaries: DictionaryMatcher, patterns: PatternMatcher) -> None:
        self._dictionaries = dictionaries
        self._patterns = patterns

    def find(self, document: Document, borders: Borders) -> list[Entity]:
        terms = self._dictionaries.find(document.text, document.words, every=True)
        matches = self._patterns.find(document.text, most=None)
        found = [Entity(hit.start, hit.end, hit.label, source=DICTIONARY) for hit in terms]
        found += [Entity(hit.start, hit.end, hit.label, source=PATTERN) for hit in matches]
        return borders.whole(found)


def _check_label(rule: Dictionary | Pattern, labels: Sequence[str], file: str) -> None:
    if rule.label in labels:
        return
    close = difflib.get_close_matches(rule.label, labels, n=1)
    raise InputError(
        f"{rule.label!r} is no label of the schema",
        where=f"{file}: {rule.place}.label" if rule.place else file,
        hint=f"Did you mean {close[0]!r}?" if close else f"Labels: {', '.join(labels) or 'none'}",
    )
