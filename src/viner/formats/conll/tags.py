"""Tag schemes: tags to entities as ``conlleval`` reads them, entities to tags, and which scheme a file is in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, get_args

Scheme = Literal["IOB1", "IOB2", "IOBES", "BILOU", "IO"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

TagSpan = tuple[int, int, str]
"""``(first token, one past the last token, label)``."""

_TAG = re.compile(r"([BIESLUM])-(.+)", re.DOTALL)
_ENDS = frozenset("ESLU")
_STARTS = frozenset("BSU")
OUTSIDE = "O"


@lru_cache(maxsize=4096)
def split_tag(tag: str, bare: bool = False) -> tuple[str, str] | None:
    """``("B", "PER")`` for ``B-PER``, ``("O", "")`` for ``O``, None for what is no tag.

    Args:
        tag: What stands in the column.
        bare: The file's tags are labels without a prefix (scheme IO): any other tag counts as ``I-`` and itself.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    if bare:
        return ("I", tag) if tag else None
    match = _TAG.fullmatch(tag)
    return None if match is None else (match[1], match[2])


def decode(tags: Sequence[str], scheme: Scheme = "IOB2") -> list[TagSpan]:
    """The entities of one sentence, by the rules of the CoNLL-2000 script ``conlleval`` (Tjong Kim Sang & Buchholz, 2000).

    A tag that cannot continue the entity before it begins a new one, so sequences that break the scheme lose nothing. These
    rules read every scheme, which therefore matters for bare labels ("IO") only. What is no tag counts as ``O``.
    """
    spans: list[TagSpan] = []
    start, label, last = 0, "", OUTSIDE
    for index, tag in enumerate(tags):
        prefix, kind = split_tag(tag, scheme == "IO") or (OUTSIDE, "")
        continues = label and kind == label and prefix not in _STARTS and prefix != OUTSIDE and last not in _ENDS
        if label and not continues:
            spans.append((start, index, label))
            label = ""
        if prefix != OUTSIDE and not continues:
            start, label = index, kind
        last = prefix
    if label:
        spans.append((start, len(tags), label))
    return spans


def encode(spans: Iterable[TagSpan], length: int, scheme: Scheme = "IOB2") -> list[str]:
    """Tags for disjoint spans over ``length`` tokens: the inverse of :func:`decode`, but for neighbors that "IO" merges."""
    tags = [OUTSIDE] * length
    previous_end, previous_label = -1, ""
    for start, end, label in sorted(spans):
        touches = start == previous_end and label == previous_label
        for index in range(start, end):
            prefix = _prefix(scheme, index == start, index == end - 1, touches)
            tags[index] = label if scheme == "IO" else f"{prefix}-{label}"
        previous_end, previous_label = end, label
    return tags


def _prefix(scheme: Scheme, first: bool, last: bool, touches: bool) -> str:
    if scheme == "IOB1":
        return "B" if first and touches else "I"
    if scheme == "IOBES" and last:
        return "S" if first else "E"
    if scheme == "BILOU" and last:
        return "U" if first else "L"
    return "B" if first else "I"


def odd_tags(tags: Sequence[str], scheme: Scheme) -> Iterator[tuple[int, str]]:
    """Yields ``(token, what is odd)`` for tags that the scheme does not allow there, or no scheme anywhere."""
    last, last_label = OUTSIDE, ""
    open_entity = False
    for index, tag in enumerate(tags):
        parsed = split_tag(tag, scheme == "IO")
        if parsed is None:
            yield index, "is no tag, read as O"
        prefix, label = parsed or (OUTSIDE, "")
        if label == OUTSIDE:
            yield index, "has the label O"
        follows = label == last_label and last != OUTSIDE
        if scheme == "IOB2" and prefix == "I" and not follows:
            yield index, "continues no entity, begins one"
        elif scheme == "IOB1" and prefix == "B" and not follows:
            yield index, "begins an entity with B- that touches no other of its label"
        elif scheme in ("IOBES", "BILOU"):
            continues = prefix in "IELM" and open_entity and follows
            if prefix in "IELM" and not continues:
                yield index, "continues no entity, begins one"
            elif open_entity and not continues:
                yield index, "leaves the entity before it without an end"
            open_entity = prefix in "BIM"
        last, last_label = prefix, label
    if scheme in ("IOBES", "BILOU") and open_entity:
        yield len(tags) - 1, "leaves its entity without an end"


class SchemeFinder:
    """Finds the scheme of a file from its tags, token by token."""

    def __init__(self) -> None:
        self._prefixes: set[str] = set()
        self._bare = 0
        self._prefixed = 0
        self._against_iob1 = 0
        self._against_iob2 = 0
        self._last: tuple[str, str] = (OUTSIDE, "")

    def add(self, tag: str) -> None:
        """Takes the tag of the next token of a sentence."""
        parsed = split_tag(tag)
        if parsed is None:
            self._bare += 1
            parsed = (OUTSIDE, "")
        prefix, label = parsed
        if prefix != OUTSIDE:
            self._prefixed += 1
            self._prefixes.add(prefix)
            touches = self._last[0] != OUTSIDE and self._last[1] == label
            self._against_iob2 += prefix == "I" and not touches
            self._against_iob1 += prefix == "B" and not touches
        self._last = parsed

    def end_sentence(self) -> None:
        """The next tag begins a sentence."""
        self._last = (OUTSIDE, "")

    @property
    def scheme(self) -> Scheme:
        """The scheme that the tags fit, or contradict least; IOB2 when there is none to tell."""
        if self._prefixes & {"L", "U"}:
            return "BILOU"
        if self._prefixes & {"E", "S"}:
            return "IOBES"
        if self._bare > self._prefixed:
            return "IO"
        return "IOB1" if self._against_iob2 > self._against_iob1 else "IOB2"
