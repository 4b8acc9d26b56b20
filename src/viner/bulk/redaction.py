"""Documents without what entities say: masked, or with pseudonyms in their place."""

from __future__ import annotations

import re
import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal, get_args

from viner.bulk.occurrences import occurrences, plain_words, same_name, stand_in
from viner.bulk.pseudonyms import Pseudonyms, pattern
from viner.conll_meta import KEY as CONLL
from viner.document import Document, Entity, Span
from viner.errors import UsageError

By = Literal["label", "characters", "pseudonym"]
CHARACTER = "█"
SOURCE = "redaction"
"""Source of entities that only :class:`Redactor` found, as further occurrences."""
_WORDS_OF_A_NAME = 16
"""Words of a kept value up to which it is looked at for a name in parts: in long texts any words come together."""


@dataclass(frozen=True, slots=True)
class _Region:
    """A stretch of text that is replaced, and by what; ``entity`` names it."""

    start: int
    end: int
    entity: Entity
    by: str = ""


class Redactor:
    """Replaces the surfaces of entities. Give it to a :class:`~viner.bulk.Job` as its step, or call it with a document.

    An entity that is redacted stays, with the mask as its surface; so do all others, at offsets that are exact in the new text.
    What lies inside a redacted entity goes with it, what crosses one ends with its mask. Entities that overlap are redacted as
    one, under the label of the first, and of two that begin together the longer. Masks of labels that are known are not
    redacted again, so to redact twice is to redact once. Suggestions are moved along and not redacted.

    ``meta`` is left out, since nobody has looked at what stands there, but for the keys that are to be kept; of those, a
    value in which a redacted surface stands, in any case and as a part of whatever it is, is left out as well. Ids stay unless
    told otherwise.

    Args:
        labels: Which entities are redacted; None takes all.
        by: "label" (``[PERSON]``), "characters" (one for each of the surface, so that no offset changes), or "pseudonym"
            (``PERSON_5XQ2MZ7KWN3TCVRA``, the same for the same surface and label).
        key: For pseudonyms: the secret that they depend on, of at least 16 bytes. None draws one for the run, which is
            forgotten at its end.
        character: For characters: which one.
        everywhere: Also redact what stands elsewhere in the same document, as whole words in any Unicode form or tone style or
            broken over lines, and was not recognized there.
        keep_meta: Keys of ``meta`` that are kept.
        drop_ids: Leave the documents' ids out.
        known: Labels whose masks may stand in a document already, beside ``labels`` and those of its entities: all that the
            model knows, say.

    Attributes:
        redacted: How many entities of each label were redacted.
        left_out: How many values of each key of ``meta`` were left out.

    Raises:
        UsageError: If the key is short, the mask is no single character, or the options contradict each other.
    """

    hides = True
    """Errors of a run quote nothing."""

    def __init__(
        self,
        labels: Collection[str] | None = None,
        *,
        by: By = "label",
        key: bytes | None = None,
        character: str = CHARACTER,
        everywhere: bool = False,
        keep_meta: Collection[str] = (),
        drop_ids: bool = False,
        known: Collection[str] = (),
    ) -> None:
        if by not in get_args(By):
            raise UsageError(f"unknown way to redact {by!r}", hint=f"Ways: {', '.join(get_args(By))}")
        if key is not None and by != "pseudonym":
            raise UsageError(
                "a key is for pseudonyms", hint="Say --by pseudonym (in Python: by='pseudonym'), or leave the key out"
            )
        if len(character) != 1 or character.isspace() or not character.isprintable():
            raise UsageError(f"{character!r} is not one visible character", hint=f"Such as {CHARACTER}")
        if CONLL in keep_meta:
            raise UsageError(f"meta {CONLL!r} holds the lines of the file, which are not redacted", hint="Do not keep it")
        self._labels = None if labels is None else frozenset(labels)
        self._by = by
        self._given = key
        self._character = character
        self._everywhere = everywhere
        self._keep_meta = frozenset(keep_meta)
        self._drop_ids = drop_ids
        self._known = frozenset(known) | (self._labels or frozenset())
        self.restore({})
        self.settings: Mapping[str, Any] = {
            "labels": None if self._labels is None else sorted(self._labels),
            "by": by,
            "character": character,
            "everywhere": everywhere,
            "keep_meta": sorted(self._keep_meta),
            "drop_ids": drop_ids,
            "key": self._pseudonyms.fingerprint() if key is not None else None,
            "known": sorted(self._known),
        }

    def state(self) -> dict[str, Any]:
        """What a run that goes on has to know: counts, and the key that was drawn."""
        drawn = {} if self._given is not None else {"key": self._key.hex()}
        return {**drawn, "redacted": dict(self.redacted), "left_out": dict(self.left_out)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state; from an empty one, begins."""
        drawn = state.get("key")
        self._key = self._given if self._given is not None else (bytes.fromhex(drawn) if drawn else secrets.token_bytes(32))
        self._pseudonyms = Pseudonyms(self._key)
        self.redacted: Counter[str] = Counter(state.get("redacted", {}))
        self.left_out: Counter[str] = Counter(state.get("left_out", {}))

    def __call__(self, document: Document) -> Document:
        """The redacted document."""
        regions = [replace(region, by=self._mask(document, region)) for region in self._regions(document)]
        self.redacted.update(region.entity.label for region in regions)
        moved = _Moved(document.text, regions)
        entities, relations = document.entities, document.relations
        if entities is not None:
            entities = self._entities(entities, regions, moved)
            if relations is not None:
                names = {entity.id for entity in entities}
                relations = [relation for relation in relations if relation.head in names and relation.tail in names]
        words, tags = document.words, document.tags
        if words is not None:
            words, origins = moved.words(words)
            if tags is not None:
                tags = {layer: [classes[origin] for origin in origins] for layer, classes in tags.items()}
        elif tags is not None and regions:
            tags = None  # there are no words to say which tag goes
        return Document(
            moved.text,
            id=None if self._drop_ids else document.id,
            meta=self._meta(document, regions),
            words=words,
            entities=entities,
            tags=tags,
            labels=document.labels,
            relations=relations,
            suggestions=None if document.suggestions is None else list(moved.entities(document.suggestions)),
        )

    def _regions(self, document: Document) -> list[_Region]:
        """What is replaced: disjoint, in order."""
        text = document.text
        masks = self._masks(document)
        chosen = [
            entity
            for entity in document.entities or ()
            if (self._labels is None or entity.label in self._labels) and not masks.hold(entity)
        ]
        if self._everywhere:
            labels = {same_name(text[entity.start : entity.end]): entity.label for entity in reversed(chosen)}
            known = {(entity.start, entity.end) for entity in chosen}
            for start, end, name in occurrences(labels, text):
                entity = Entity(start, end, labels[name], source=SOURCE)
                if (start, end) not in known and not masks.hold(entity):
                    chosen.append(entity)
        regions: list[_Region] = []
        for entity in sorted(chosen, key=lambda entity: (entity.start, -entity.end)):
            if regions and entity.start < regions[-1].end:
                regions[-1] = replace(regions[-1], end=max(regions[-1].end, entity.end))
            else:
                regions.append(_Region(entity.start, entity.end, entity))
        return regions

    def _mask(self, document: Document, region: _Region) -> str:
        if self._by == "label":
            return f"[{region.entity.label}]"
        if self._by == "characters":
            return self._character * (region.end - region.start)
        return self._pseudonyms.of(region.entity.label, document.text[region.start : region.end])

    def _masks(self, document: Document) -> _Stretches:
        """Where masks stand already. Only labels that there are make a mask: ``[Lan]`` is none."""
        labels = sorted(self._known | {entity.label for entity in document.entities or ()})
        if not labels:
            return _Stretches([])
        if self._by == "characters":
            found = re.finditer(re.escape(self._character) + "+", document.text)
        else:
            found = re.finditer("|".join(rf"\[{re.escape(label)}\]|{pattern(label)}" for label in labels), document.text)
        return _Stretches([match.span() for match in found])

    def _entities(self, entities: Sequence[Entity], regions: Sequence[_Region], moved: _Moved) -> list[Entity]:
        named = {id(region.entity): region for region in regions}
        kept = []
        for entity in entities:
            region = named.pop(id(entity), None)
            if region is not None:
                kept.append(replace(entity, start=moved.start(region.start), end=moved.end(region.end), text=None))
            else:
                kept += moved.entities([entity])
        kept += [
            replace(region.entity, start=moved.start(region.start), end=moved.end(region.end)) for region in named.values()
        ]
        return kept if not named else sorted(kept, key=lambda entity: (entity.start, -entity.end))

    def _meta(self, document: Document, regions: Sequence[_Region]) -> dict[str, Any]:
        surfaces: set[str] = set()
        if not self._keep_meta.isdisjoint(document.meta):
            surfaces = {document.text[region.start : region.end] for region in regions}
            redacted = _Stretches([(region.start, region.end) for region in regions])
            surfaces |= {entity.text for entity in document.entities or () if entity.text and redacted.hold(entity)}
        names = set(map(same_name, surfaces))
        kept: dict[str, Any] = {}
        for key, value in document.meta.items():
            if key in self._keep_meta and not any(stand_in(names, text) for text in _strings(value)):
                kept[key] = value
            else:
                self.left_out[key] += 1
        # Given and family name may stand in two values, and words of a name one by one in a list.
        told = {key: " ".join(_strings(value)) for key, value in kept.items()} if names else {}
        short = {key: plain_words(text) for key, text in told.items() if len(text.split()) <= _WORDS_OF_A_NAME}
        parts = _parts_of(names, frozenset(chain.from_iterable(short.values())))
        for key in [key for key, words in short.items() if words & parts]:
            del kept[key]
            self.left_out[key] += 1
        return kept


class _Moved:
    """A text in which regions are replaced, and where its places went."""

    def __init__(self, text: str, regions: Sequence[_Region]) -> None:
        self._regions = regions
        self._starts = [region.start for region in regions]
        self._shifts = [0]
        """How far what stands behind the first n regions has moved."""
        parts: list[str] = []
        last = 0
        for region in regions:
            parts += [text[last : region.start], region.by]
            last = region.end
            self._shifts.append(self._shifts[-1] + len(region.by) - (region.end - region.start))
        parts.append(text[last:])
        self.text = "".join(parts)

    def start(self, position: int) -> int:
        """Where a span begins that began here; inside of a region, where its mask begins."""
        index = bisect_right(self._starts, position) - 1
        if index >= 0 and position < self._regions[index].end:
            return self._starts[index] + self._shifts[index]
        return position + self._shifts[index + 1]

    def end(self, position: int) -> int:
        """Where a span ends that ended here; inside of a region, where its mask ends."""
        index = bisect_right(self._starts, position - 1) - 1
        if index >= 0 and position < self._regions[index].end:
            return self._regions[index].end + self._shifts[index + 1]
        return position + self._shifts[index + 1]

    def entities(self, entities: Iterable[Entity]) -> Iterator[Entity]:
        """Those that do not lie inside of a region."""
        for entity in entities:
            index = bisect_right(self._starts, entity.start) - 1
            if index < 0 or entity.end > self._regions[index].end:
                yield replace(entity, start=self.start(entity.start), end=self.end(entity.end), text=None)

    def words(self, words: Sequence[Span]) -> tuple[list[Span], list[int]]:
        """What is left of words, each mask in the place of those that it hides one word; and for each the word that it was."""
        found: list[Span] = []
        origins: list[int] = []
        index = 0
        masked = -1
        for origin, (start, end) in enumerate(words):
            while index < len(self._regions) and self._regions[index].end <= start:
                index += 1
            here, at = start, index
            while at < len(self._regions) and self._regions[at].start < end:
                region = self._regions[at]
                if here < region.start:
                    found.append((self.start(here), self.end(region.start)))
                    origins.append(origin)
                if masked < at:
                    found.append((self.start(region.start), self.end(region.end)))
                    origins.append(origin)
                    masked = at
                here = region.end
                at += 1
            if here < end:
                found.append((self.start(here), self.end(end)))
                origins.append(origin)
        return found, origins


class _Stretches:
    """Stretches of a text that do not overlap, in order."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._starts = [start for start, _ in spans]

    def hold(self, entity: Entity) -> bool:
        """Whether an entity lies in one of them."""
        index = bisect_right(self._starts, entity.start) - 1
        return index >= 0 and entity.end <= self._spans[index][1]


def _parts_of(names: Iterable[str], words: Set[str]) -> frozenset[str]:
    """The words of all names of several words that a value holds in full, be it apart or in another order."""
    held = (plain_words(name) for name in names)
    return frozenset(word for name in held if len(name) > 1 and name <= words for word in name)


def _strings(value: Any) -> Iterator[str]:
    """All texts within a JSON value; numbers as they are written."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    else:
        yield str(value)
