"""What the splitter, the views and the tokenizers of a web page must know of Unicode, as tables.

A browser knows the Unicode of its own age, and so do Python, `regex` and `tokenizers`. Words must begin and end in the browser
where they do here, so what is known here is written down, and nothing is asked of the browser's regular expressions.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from viner.text.words import CHARACTERS

CODES = 0x110000
_SURROGATES = range(0xD800, 0xE000)
_FIRST_EMPTY, _TAGS = 4, 14
"""Planes: from the first one on there are only private characters, and tags and variation selectors in the second."""
_NO_CHARACTERS = 0xFFFE
"""The last two places of each plane are no characters."""
# What decides where characters, as people see them, begin and end (Unicode Annex 29), beside what the splitter asks.
_CLUSTERS = {
    "return": r"\r",
    "feed": r"\n",
    "control": r"\p{GCB=Control}",
    "joiner": r"\p{GCB=ZWJ}",
    "extend": r"\p{GCB=Extend}",
    "spacing": r"\p{GCB=SpacingMark}",
    "hangulL": r"\p{GCB=L}",
    "hangulV": r"\p{GCB=V}",
    "hangulT": r"\p{GCB=T}",
    "hangulLV": r"\p{GCB=LV}",
    "hangulLVT": r"\p{GCB=LVT}",
    "consonant": r"\p{InCB=Consonant}",
    "linker": r"\p{InCB=Linker}",
    "conjunct": r"\p{InCB=Extend}",
}


def codes() -> Iterator[int]:
    """All code points that a text can hold."""
    yield from range(_SURROGATES.start)
    yield from range(_SURROGATES.stop, CODES)


def run_lengths(values: NDArray[Any]) -> list[int]:
    """A value for each code point in short: how far each run of one value begins behind the one before, and the value."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    steps = np.diff(starts, prepend=0)
    return np.stack([steps, values[starts].astype(np.int64)], axis=1).ravel().tolist()


@cache
def _classes() -> tuple[list[str], NDArray[np.uint32]]:
    """Names of the classes, and for each code point one bit for each."""
    patterns = {**CHARACTERS, **_CLUSTERS}
    text = "".join(map(chr, codes()))
    flags = np.zeros(CODES, dtype=np.uint32)
    for bit, pattern in enumerate(patterns.values()):
        for match in regex.finditer(f"{pattern}++", text, regex.VERSION1):
            first, last = (index + len(_SURROGATES) * (index >= _SURROGATES.start) for index in match.span())
            flags[first:last] |= np.uint32(1 << bit)
    return list(patterns), flags


def members(name: str) -> frozenset[int]:
    """The code points of a class of the table."""
    names, flags = _classes()
    return frozenset(np.flatnonzero(flags & np.uint32(1 << names.index(name))).tolist())


@cache
def compositions() -> tuple[tuple[int, int, int], ...]:
    """What two characters make in form C: the first, the second, the composite. Hangul syllables follow a rule instead."""
    found = []
    for code in codes():
        parts = unicodedata.decomposition(chr(code)).split()
        # Canonical ones have no <tag>. Some are never composed.
        if len(parts) == 2 and "<" not in parts[0] and unicodedata.normalize("NFC", chr(code)) == chr(code):
            found.append((int(parts[0], 16), int(parts[1], 16), code))
    return tuple(found)


def is_hangul(code: int) -> bool:
    """Whether it is a syllable that decomposes by rule."""
    return 0xAC00 <= code < 0xAC00 + 11172


def canonical() -> dict[str, Any]:
    """The normalization forms C and D as tables."""
    texts = ((chr(code), unicodedata.normalize("NFD", chr(code))) for code in codes() if not is_hangul(code))
    return {
        "decompositions": {char: split for char, split in texts if char != split},
        "compositions": [code for triple in compositions() for code in triple],
        "classes": run_lengths(np.array([unicodedata.combining(chr(code)) for code in range(CODES)], dtype=np.uint8)),
    }


@cache
def character_tables() -> dict[str, Any]:
    """All tables that do not depend on a model."""
    names, flags = _classes()
    return {"characters": {"names": names, "runs": run_lengths(flags)}, "canonical": canonical()}


KEPT, REMOVED, SPACED, DECOMPOSED, REPLACED = range(5)


def replacements(normalize: Callable[[str], str]) -> dict[str, Any]:
    """A function that treats every character by itself, as a table.

    Returns:
        ``kinds``: for each code point what becomes of it: 0 itself, 1 nothing, 2 itself between spaces, 3 its canonical
        decomposition, 4 what ``texts`` says.
    """
    texts: dict[str, str] = {}

    def kind(char: str) -> int:
        made = normalize(char)
        if made == char:
            return KEPT
        if made == "":
            return REMOVED
        if made == f" {char} ":
            return SPACED
        if made == unicodedata.normalize("NFD", char):
            return DECOMPOSED
        texts[char] = made
        return REPLACED

    return {"kinds": classified(kind), "texts": texts}


def classified(classify: Callable[[str], int]) -> list[int]:
    """A class for each character, found by asking, as run lengths."""
    kinds = np.zeros(CODES, dtype=np.uint8)
    for first, stop in _alike():
        kinds[first:stop] = classify(chr(first))
    return run_lengths(kinds)


def _alike() -> Iterator[tuple[int, int]]:
    """All code points in stretches of which one answers for all: single ones, and planes without characters of their own."""
    for code in codes():
        plane, place = divmod(code, 1 << 16)
        if plane < _FIRST_EMPTY or (plane == _TAGS and place < 1 << 12):
            yield code, code + 1
        elif place in (0, _NO_CHARACTERS) or (plane == _TAGS and place == 1 << 12):
            yield code, plane * (1 << 16) + (_NO_CHARACTERS if place < _NO_CHARACTERS else 1 << 16)
