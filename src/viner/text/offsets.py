"""Converting offsets between code points (viner), UTF-16 units (JavaScript, Java) and UTF-8 bytes (files, Rust)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable

from viner.errors import InputError

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_WIDE = (re.compile("[\x80-\U0010ffff]"), re.compile("[\u0800-\U0010ffff]"), _ASTRAL)


class OffsetMap:
    """Offsets of one text in three units.

    It holds only the positions of the characters that take more than one unit, so ASCII text costs nothing and a lookup takes
    the logarithm of their number.

    Args:
        text: The raw text that the offsets belong to.
    """

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._astral = _positions(_ASTRAL, text)
        self._text = text
        self._wide: tuple[list[int], ...] | None = None

    def to_utf16(self, offset: int) -> int:
        """UTF-16 units before a code point offset in [0, len(text)]."""
        self._check(offset)
        return offset + bisect_left(self._astral, offset)

    def to_utf8(self, offset: int) -> int:
        """UTF-8 bytes before a code point offset in [0, len(text)]."""
        self._check(offset)
        if self._wide is None:
            self._wide = tuple(_positions(pattern, self._text) for pattern in _WIDE)
        # A character takes one byte more from each of U+0080, U+0800 and U+10000 on.
        return offset + sum(bisect_left(positions, offset) for positions in self._wide)

    def from_utf16(self, offset: int) -> int:
        """Code points before a UTF-16 offset.

        Raises:
            InputError: If the offset leaves the text or points inside a surrogate pair.
        """
        return self._invert(self.to_utf16, offset, "UTF-16")

    def from_utf8(self, offset: int) -> int:
        """Code points before a UTF-8 offset.

        Raises:
            InputError: If the offset leaves the text or points inside a character.
        """
        return self._invert(self.to_utf8, offset, "UTF-8")

    def _check(self, offset: int) -> None:
        if not 0 <= offset <= self._length:
            raise InputError(f"offset {offset} leaves the text of {self._length} code points")

    def _invert(self, convert: Callable[[int], int], offset: int, unit: str) -> int:
        # Every code point takes at least one unit, so the answer is never larger than the offset.
        point = bisect_left(range(self._length + 1), offset, key=convert)
        if offset < 0 or point > self._length:
            raise InputError(f"{unit} offset {offset} leaves the text of {convert(self._length)} units")
        if convert(point) != offset:
            raise InputError(f"{unit} offset {offset} points inside the character {self._text[point - 1]!r}")
        return point


def _positions(pattern: re.Pattern[str], text: str) -> list[int]:
    return [] if text.isascii() else [match.start() for match in pattern.finditer(text)]
