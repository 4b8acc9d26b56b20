"""Converting offsets between code points (viner), UTF-16 units (JavaScript, Java) and UTF-8 bytes (files, Rust)."""

from __future__ import annotations

import re
from bisect import bisect_left

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
        self._pairs: list[int] | None = None

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
        if self._pairs is None:
            self._pairs = [position + before for before, position in enumerate(self._astral)]
        # A character from U+10000 on takes two units; an offset between them is found to be before the character.
        point = offset - bisect_left(self._pairs, offset)
        if not 0 <= point <= self._length:
            raise InputError(f"UTF-16 offset {offset} leaves the text of {self.to_utf16(self._length)} units")
        if point + bisect_left(self._astral, point) != offset:
            raise InputError(f"UTF-16 offset {offset} points inside the character {self._text[point]!r}")
        return point

    def from_utf8(self, offset: int) -> int:
        """Code points before a UTF-8 offset.

        Raises:
            InputError: If the offset leaves the text or points inside a character.
        """
        # Every code point takes at least one byte, so the answer is never larger than the offset.
        point = bisect_left(range(self._length + 1), offset, key=self.to_utf8)
        if offset < 0 or point > self._length:
            raise InputError(f"UTF-8 offset {offset} leaves the text of {self.to_utf8(self._length)} units")
        if self.to_utf8(point) != offset:
            raise InputError(f"UTF-8 offset {offset} points inside the character {self._text[point - 1]!r}")
        return point

    def _check(self, offset: int) -> None:
        if not 0 <= offset <= self._length:
            raise InputError(f"offset {offset} leaves the text of {self._length} code points")


def _positions(pattern: re.Pattern[str], text: str) -> list[int]:
    return [] if text.isascii() else [match.start() for match in pattern.finditer(text)]
