"""Documents, entities and relations: the one shape of data that every part of viner reads and writes.

Offsets are Unicode code points of the raw text, end-exclusive, so ``text[start:end]`` is the surface of an entity, always.
The text is never changed: no normalization, no stripping, no line-end conversion.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from viner.errors import InputError

Span = tuple[int, int]
"""``(start, end)`` in code points of the raw text, end-exclusive."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A labeled span of a document.

    Args:
        start: First code point of the span.
        end: One past the last code point; ``start < end``.
        label: Name of the entity type.
        id: Names the entity within its document, needed where relations refer to it.
        score: Confidence of the model in [0, 1]; None for an entity that a person made.
        source: Who or what made it, such as "model" or "dictionary".
        text: The surface ``document.text[start:end]``. Filled in by the document; it plays no part in comparisons.
    """

    start: int
    end: int
    label: str
    id: str | None = None
    score: float | None = None
    source: str | None = None
    text: str | None = field(default=None, compare=False)

    @property
    def labeled_span(self) -> tuple[int, int, str]:
        """What strict scores compare: start, end and label."""
        return self.start, self.end, self.label

    def to_dict(self, *, surface: bool = False) -> dict[str, Any]:
        """The JSON form; keys that are None are left out, ``text`` is given only when ``surface`` is set."""
        data: dict[str, Any] = {} if self.id is None else {"id": self.id}
        data.update(start=self.start, end=self.end, label=self.label)
        if surface and self.text is not None:
            data["text"] = self.text
        if self.score is not None:
            data["score"] = self.score
        if self.source is not None:
            data["source"] = self.source
        return data


@dataclass(frozen=True, slots=True)
class Relation:
    """A labeled, directed pair of entities, named by their ids."""

    head: str
    tail: str
    label: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"head": self.head, "tail": self.tail, "label": self.label}


@dataclass(frozen=True, slots=True)
class Document:
    """A raw text with its annotations. Immutable: :meth:`with_` makes a changed copy.

    A layer that is None is *not annotated*; an empty one is *annotated, and there is none*.

    Args:
        text: The raw text. It must be encodable (no lone surrogates); it may be empty.
        id: Name of the document within its file or project.
        meta: Anything JSON can hold; formats keep here what the document shape has no place for.
        words: Spans of the words in text order, disjoint and not empty; None leaves the splitting to
            :func:`viner.text.split_words`.
        entities: Entities in any order; nested and crossing ones are allowed.
        tags: For each tag layer one class a word, so each list is as long as ``words``.
        labels: For each label layer the classes of the document.
        relations: Pairs of entity ids.
        suggestions: Entities that a model, rule or language model proposes and that nobody has accepted yet.

    Raises:
        InputError: If a span leaves the text, words overlap, tags do not match words, a relation names an unknown entity,
            or the text holds a lone surrogate. ``where`` names the field.
    """

    text: str
    id: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    words: Sequence[Span] | None = None
    entities: Sequence[Entity] | None = None
    tags: Mapping[str, Sequence[str]] | None = None
    labels: Mapping[str, Sequence[str]] | None = None
    relations: Sequence[Relation] | None = None
    suggestions: Sequence[Entity] | None = None

    def __post_init__(self) -> None:
        check_text(self.text)
        if self.words is not None:
            object.__setattr__(self, "words", _checked_words(self.words, len(self.text)))
        if self.entities is not None:
            object.__setattr__(self, "entities", _bound(self.entities, self.text, "entities"))
        if self.suggestions is not None:
            object.__setattr__(self, "suggestions", _bound(self.suggestions, self.text, "suggestions"))
        if self.tags is not None and self.words is not None:
            for layer, tags in self.tags.items():
                if len(tags) != len(self.words):
                    raise InputError(f"{len(tags)} tags for {len(self.words)} words", where=f"tags.{layer}")
        if self.relations is not None:
            object.__setattr__(self, "relations", tuple(self.relations))
            self._check_relations()

    def _check_relations(self) -> None:
        known = {entity.id for entity in self.entities or ()}
        for index, relation in enumerate(self.relations or ()):
            for end in ("head", "tail"):
                if getattr(relation, end) not in known:
                    raise InputError(
                        f"no entity has the id {getattr(relation, end)!r}",
                        where=f"relations[{index}].{end}",
                        hint="Give every entity of a relation an 'id'",
                    )

    def with_(self, **changes: Any) -> Document:
        """A copy with some fields changed; everything is checked again."""
        return replace(self, **changes)

    def bare(self) -> Document:
        """What a recognizer under evaluation may see of it: text, id and words."""
        return Document(self.text, id=self.id, words=self.words)

    def to_dict(self, *, surfaces: bool = False) -> dict[str, Any]:
        """The JSON form (DESIGN: "one document shape everywhere"); layers that are None are left out.

        Args:
            surfaces: Give each entity its ``text`` as well, as REST answers do.
        """
        data: dict[str, Any] = {} if self.id is None else {"id": self.id}
        data["text"] = self.text
        if self.meta:
            data["meta"] = dict(self.meta)
        if self.words is not None:
            data["words"] = [list(span) for span in self.words]
        if self.entities is not None:
            data["entities"] = [entity.to_dict(surface=surfaces) for entity in self.entities]
        if self.tags is not None:
            data["tags"] = {layer: list(tags) for layer, tags in self.tags.items()}
        if self.labels is not None:
            data["labels"] = {layer: list(labels) for layer, labels in self.labels.items()}
        if self.relations is not None:
            data["relations"] = [relation.to_dict() for relation in self.relations]
        if self.suggestions is not None:
            data["suggestions"] = [entity.to_dict(surface=surfaces) for entity in self.suggestions]
        return data

    def to_json(self, *, surfaces: bool = False) -> str:
        """One line of JSON, characters unescaped except line separators, which would break line-wise readers."""
        return json_line(self.to_dict(surfaces=surfaces))

    @classmethod
    def from_dict(cls, data: Any) -> Document:
        """Reads the JSON form.

        Raises:
            InputError: If a key is unknown, a value has the wrong type, or the document contradicts itself; ``where`` names
                the field, such as ``entities[3].end``.
        """
        return _read_document(data)


def json_line(data: Any) -> str:
    """A JSON value on one line, characters unescaped except line separators, which would break line-wise readers."""
    line = json.dumps(data, ensure_ascii=False)
    return line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def check_text(text: object) -> str:
    """Returns the text when it is a string that UTF-8 can hold.

    Raises:
        InputError: If it is no string or holds a lone surrogate, with its offset.
    """
    if not isinstance(text, str):
        raise InputError(f"text must be a string, not {type(text).__name__}", where="text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the text holds a lone surrogate (U+{ord(text[error.start]):04X}) at code point {error.start}",
            where="text",
            hint="It was cut inside a UTF-16 pair; read the file again as UTF-8, or remove that character",
        ) from None
    return text


def _checked_words(words: Iterable[Span], length: int) -> tuple[Span, ...]:
    checked = tuple((int(start), int(end)) for start, end in words)
    last = 0
    for index, (start, end) in enumerate(checked):
        if not last <= start < end <= length:
            problem = "is empty" if start >= end else "leaves the text" if end > length else "overlaps the word before it"
            raise InputError(f"word [{start}, {end}] {problem} (text has {length} code points)", where=f"words[{index}]")
        last = end
    return checked


def _bound(entities: Iterable[Entity], text: str, where: str) -> tuple[Entity, ...]:
    bound = []
    for index, entity in enumerate(entities):
        start, end = entity.start, entity.end
        if not 0 <= start < end <= len(text):
            raise InputError(
                f"span [{start}, {end}] does not fit the text of {len(text)} code points",
                where=f"{where}[{index}]",
                hint="Offsets are code points, end-exclusive, and a span is never empty",
            )
        if not entity.label:
            raise InputError("the label is empty", where=f"{where}[{index}].label")
        surface = text[start:end]
        bound.append(entity if entity.text == surface else replace(entity, text=surface))
    return tuple(bound)


_KEYS = {"id", "text", "meta", "words", "entities", "tags", "labels", "relations", "suggestions"}
_ENTITY_KEYS = {"id", "start", "end", "label", "score", "source", "text"}


def _read_document(data: Any) -> Document:
    if not isinstance(data, dict):
        raise InputError(f"a document is a JSON object, not {type(data).__name__}")
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise InputError(
            f"unknown key {unknown[0]!r}",
            where=unknown[0],
            hint=f"Known keys: {', '.join(sorted(_KEYS))}; put others into 'meta'",
        )
    if "text" not in data:
        raise InputError("a document needs a 'text'", where="text")
    text = check_text(data["text"])
    name = data.get("id")
    if name is not None and not isinstance(name, str | int):
        raise InputError("must be a string", where="id")
    return Document(
        text=text,
        id=None if name is None else str(name),
        meta=_expect(data, "meta", dict) or {},
        words=_read_words(_expect(data, "words", list)),
        entities=_read_entities(_expect(data, "entities", list), text, "entities"),
        tags=_read_classes(_expect(data, "tags", dict), "tags"),
        labels=_read_classes(_expect(data, "labels", dict), "labels"),
        relations=_read_relations(_expect(data, "relations", list)),
        suggestions=_read_entities(_expect(data, "suggestions", list), text, "suggestions"),
    )


def _expect(data: dict[str, Any], key: str, kind: type) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise InputError(f"must be a JSON {'list' if kind is list else 'object'}, not {type(value).__name__}", where=key)
    return value


def _read_words(values: list[Any] | None) -> list[Span] | None:
    if values is None:
        return None
    for index, value in enumerate(values):
        if not (isinstance(value, list) and len(value) == 2 and all(type(n) is int for n in value)):
            raise InputError("a word is [start, end]", where=f"words[{index}]")
    return [(start, end) for start, end in values]


def _read_entities(values: list[Any] | None, text: str, layer: str) -> list[Entity] | None:
    return None if values is None else [_read_entity(value, text, f"{layer}[{index}]") for index, value in enumerate(values)]


def _read_entity(value: Any, text: str, where: str) -> Entity:
    if not isinstance(value, dict):
        raise InputError("an entity is a JSON object", where=where)
    unknown = sorted(set(value) - _ENTITY_KEYS)
    if unknown:
        raise InputError(
            f"unknown key {unknown[0]!r}", where=f"{where}.{unknown[0]}", hint=f"Known keys: {', '.join(sorted(_ENTITY_KEYS))}"
        )
    for key, kind in (("start", int), ("end", int), ("label", str)):
        if type(value.get(key)) is not kind:
            raise InputError(f"'{key}' must be {'an integer' if kind is int else 'a string'}", where=f"{where}.{key}")
    score = value.get("score")
    if score is not None and (type(score) not in (int, float) or not 0 <= score <= 1):
        raise InputError("'score' must be a number from 0 to 1", where=f"{where}.score")
    for key in ("id", "source", "text"):
        if value.get(key) is not None and not isinstance(value[key], str):
            raise InputError(f"'{key}' must be a string", where=f"{where}.{key}")
    start, end = value["start"], value["end"]
    surface = value.get("text")
    if surface is not None and text[max(start, 0) : max(end, 0)] != surface:
        raise InputError(
            f"the text at [{start}, {end}] is {text[max(start, 0) : max(end, 0)]!r}, not {surface!r}",
            where=where,
            hint="The offsets were counted in another unit (UTF-16, bytes) or on a changed text; viner counts code points",
        )
    return Entity(start, end, value["label"], value.get("id"), None if score is None else float(score), value.get("source"))


def _read_classes(values: dict[str, Any] | None, layer: str) -> dict[str, list[str]] | None:
    if values is None:
        return None
    for name, classes in values.items():
        if not isinstance(classes, list) or not all(isinstance(item, str) for item in classes):
            raise InputError("must be a list of strings", where=f"{layer}.{name}")
    return {name: list(classes) for name, classes in values.items()}


def _read_relations(values: list[Any] | None) -> list[Relation] | None:
    if values is None:
        return None
    relations = []
    for index, value in enumerate(values):
        if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("head", "tail", "label")):
            raise InputError("a relation has the strings 'head', 'tail' and 'label'", where=f"relations[{index}]")
        relations.append(Relation(value["head"], value["tail"], value["label"]))
    return relations
