"""Patterns: regular expressions of a project, matched in linear time whatever they are and whatever the text is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from viner.errors import InputError
from viner.project import Pattern
from viner.rules.dictionaries import Hit

if TYPE_CHECKING:
    import re2

LONGEST_MATCH = 1000
"""Longest match in UTF-8 bytes. Longer ones are no entities, and are dropped."""
MOST_MATCHES = 10_000
"""Most matches of one pattern in one text that are suggested: no page can show more."""
MEMORY = 1 << 20
"""Bytes that a compiled pattern and its automaton may take. It bounds the size of the program, and so the time for a byte."""


class PatternMatcher:
    r"""Finds the matches of patterns (RE2's language).

    RE2 takes linear time for one match, but looking for all matches may look through the whole rest of the text before each
    (``.*z|a``). So it is shown a stretch of twice :data:`LONGEST_MATCH` at a time, which makes all of it linear. Matches longer
    than :data:`LONGEST_MATCH` are dropped. Where one is longer than a stretch, its rest may be taken for a match of its own
    (``"[^"]*"`` where a quotation mark stands alone): such a pattern wants a bound, ``"[^"]{1,200}"``. ``^``, ``$`` and ``\b``
    see the whole text. ``\b``, ``\w`` and ``\d`` know ASCII alone.

    Args:
        patterns: The patterns.
        file: Where they come from, for errors.

    Raises:
        InputError: If a pattern is none, or is too large; ``where`` names file and pattern.
    """

    def __init__(self, patterns: Sequence[Pattern], *, file: str = "viner.toml") -> None:
        self._patterns = [
            (pattern.label, _compile(pattern.pattern, f"{file}: {pattern.place or f'rules.patterns[{index}]'}.pattern"))
            for index, pattern in enumerate(patterns)
        ]

    def find(self, text: str, *, most: int | None = MOST_MATCHES) -> list[Hit]:
        r"""The matches in a text, those of each pattern from left to right, never empty.

        Offsets are code points, exactly those of the match. A match that begins or ends inside of a code point (``\C``) is
        dropped.

        Args:
            text: The raw text.
            most: Most matches of each pattern; further ones are left out. None finds them all.
        """
        if not self._patterns:
            return []
        data = text.encode()
        return [
            Hit(start, end, label)
            for label, compiled in self._patterns
            for start, end in _in_code_points(data, islice(_matches(compiled, data), most))
        ]


def _compile(pattern: str, where: str) -> re2._Regexp:
    import re2

    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern.encode(), options)
    except UnicodeEncodeError:
        raise InputError("the pattern holds a lone surrogate", where=where) from None
    except re2.error as error:
        reason = error.args[0] if error.args else b"unknown"
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        if "too large" in reason or "repetition size" in reason:
            raise InputError(
                f"the pattern is too large ({reason})", where=where, hint="Repeat less, or use a dictionary for long lists"
            ) from None
        raise InputError(
            f"this is no regular expression ({reason})",
            where=where,
            hint="Patterns are in RE2's language, which has no look-around and no back-references:"
            " https://github.com/google/re2/wiki/Syntax",
        ) from None


def _matches(compiled: Any, data: bytes) -> Iterator[tuple[int, int]]:
    """Spans in bytes."""
    position = 0
    while position < len(data):
        stop = min(position + 2 * LONGEST_MATCH, len(data))
        stop = _next_character(data, stop)
        match = compiled.search(data, position, stop)
        start, end = match.span() if match is not None else (stop, stop)
        whole = stop == len(data)
        if not whole and start >= position + LONGEST_MATCH:
            # It may go on behind the stretch: look again with more of the text in sight.
            position = _next_character(data, position + LONGEST_MATCH)
            continue
        if match is None:
            return
        if end - start > LONGEST_MATCH:
            end = _whole_end(compiled, data, start, end, stop)
        elif start < end:
            yield start, end
        position = end if end > start else _next_character(data, end + 1)


def _whole_end(compiled: Any, data: bytes, start: int, end: int, stop: int) -> int:
    """Where a match ends that is too long to be one, so that no rest of it is taken for another.

    The stretch is doubled while the match fills it, which never shortens it: all that can be read with less is still there. So
    what is looked at is four times the match at most.
    """
    while end == stop < len(data):
        stop = _next_character(data, min(start + 2 * (stop - start), len(data)))
        end = compiled.match(data, start, stop).end()
    return end


def _next_character(data: bytes, offset: int) -> int:
    """The first offset from here on at which a code point begins."""
    while offset < len(data) and data[offset] & 0xC0 == 0x80:
        offset += 1
    return offset


def _in_code_points(data: bytes, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in code points. They come in order, so that all of it is one pass over the text."""
    seen = points = 0
    for start, end in spans:
        if _next_character(data, start) != start or _next_character(data, end) != end:
            continue
        first = points + len(data[seen:start].decode())
        last = first + len(data[start:end].decode())
        yield first, last
        seen, points = end, last
