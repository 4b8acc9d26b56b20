"""Where names stand that were found elsewhere: spelled otherwise, broken over lines, and inside of what is no text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import pairwise

from viner.text import Graphemes, nfc, strip_diacritics, tone_style

_SHORT = 6
"""Names with fewer characters stand inside of many words by chance, so no letter may touch theirs, and no digit theirs. As many
letters and digits must be left of a name that is looked for without its signs inside of words."""
_LETTER = r"[^\W\d_]"
_LETTERS = re.compile(rf"{_LETTER}+")
_WORDS = re.compile(r"[^\W_]+")
_SIGNS = r"[\W_]*"
_NUMBER = re.compile(r"[\d\s.,()+/-]+")
_DIGITS = 6
"""So many digits make a number that nobody else has by chance."""


def same_name(surface: str) -> str:
    """What spellings of one name share: composed characters, one placement of tone marks, and a space for any white space."""
    return " ".join(_one_style(nfc(surface)).split())


def occurrences(names: Collection[str], text: str) -> Iterator[tuple[int, int, str]]:
    """Where names stand in a text as whole words, in any Unicode form and tone style and with any white space.

    Of those that begin at one place the longest is given. Those that begin inside of another are given, too.

    Args:
        names: As :func:`same_name` gives them.
        text: The text.

    Yields:
        Start, end, and the name.
    """
    names = [name for name in names if name]
    if not names:
        return
    pattern = re.compile(rf"(?<!\w)(?:{_any_of(names)})(?!\w)")
    view = _View(text)
    match = pattern.search(view.text)
    while match is not None:
        if (span := view.raw(*match.span())) is not None:
            yield *span, same_name(match[0])
        match = pattern.search(view.text, match.start() + 1)


def stand_in(names: Collection[str], value: str) -> bool:
    """Whether one of the names stands in a value, in any case, beside digits and signs or, if long, inside of a word.

    Names of six letters and digits or more, and those of several words, are also found without diacritics and with any signs or
    none between their words, as file names and addresses have them; the shorter ones not inside of a word. Numbers are compared
    by their digits, without zeros before them.

    Args:
        names: As :func:`same_name` gives them.
        value: Some text that is not looked at otherwise, such as a file name or an address.
    """
    names = [name.casefold() for name in names if name]
    told = same_name(value).casefold()
    long = [name for name in names if len(name) >= _SHORT]
    short = [name for name in names if len(name) < _SHORT]
    if any(name in told for name in long):
        return True
    if any(re.search(_apart(name), told) for name in short):
        return True
    if _stand_plainly(names, told):
        return True
    digits = re.sub(r"\D", "", told)
    return len(digits) >= _DIGITS and any(number in digits for number in map(_digits, long) if number)


def _one_style(text: str) -> str:
    """A text of composed characters with the tone marks of its words where the new spelling puts them; no offset changes."""
    return text if text.isascii() else _LETTERS.sub(lambda word: tone_style(word[0], "new"), text)


def _any_of(names: Collection[str]) -> str:
    """A pattern for the longest of some names at a place, by their beginnings, so that few are looked at anywhere."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=len, reverse=True):
        groups.setdefault(name[:2], []).append(name[2:])
    return "|".join(f"{_spaced(head)}(?:{'|'.join(map(_spaced, rests))})" for head, rests in groups.items())


def _spaced(name: str) -> str:
    """A pattern for a name, or a part of one, with any white space in the place of its own."""
    return r"\s+".join(map(re.escape, name.split(" ")))


def _apart(*words: str) -> str:
    """A pattern for a name that nothing of its kind touches: no letter a letter, no digit a digit. Any signs part its words."""
    before, behind = (r"\d" if char.isdigit() else _LETTER for char in (words[0][0], words[-1][-1]))
    return rf"(?<!{before}){_SIGNS.join(map(re.escape, words))}(?!{behind})"


def _stand_plainly(names: Collection[str], value: str) -> bool:
    """Whether what is left of a name without diacritics and signs stands in what is left of a value."""
    plain = strip_diacritics(value)
    bare = "".join(_WORDS.findall(plain))
    for name in names:
        words = _WORDS.findall(strip_diacritics(name))
        told = "".join(words)
        if len(told) >= _SHORT:
            if told in bare:
                return True
        # One short word without its diacritics is another word, and few digits are any number.
        elif len(words) > 1 and re.search(_LETTER, told) and re.search(_apart(*words), plain):
            return True
    return False


def plain_words(text: str) -> frozenset[str]:
    """The words of a text without case, diacritics and signs."""
    return frozenset(_WORDS.findall(strip_diacritics(same_name(text)).casefold()))


def _digits(name: str) -> str:
    """The digits of a name that is a number, without zeros before it: so a table holds it."""
    digits = re.sub(r"\D", "", name).lstrip("0") if _NUMBER.fullmatch(name) else ""
    return digits if len(digits) >= _DIGITS else ""


class _View:
    """A text with composed characters and one tone style, and where they stand in the raw one."""

    def __init__(self, text: str) -> None:
        self._graphemes: Graphemes | None = None
        self._raw: dict[int, int] | None = None
        if unicodedata.is_normalized("NFC", text):
            self.text = _one_style(text)
            return
        # Composed cluster by cluster, so that each one has its place on both sides.
        graphemes = Graphemes(text)
        borders = [offset for offset in range(len(text) + 1) if graphemes.is_border(offset)]
        self._raw = {0: 0}
        parts: list[str] = []
        length = 0
        for start, end in pairwise(borders):
            parts.append(nfc(text[start:end]))
            length += len(parts[-1])
            self._raw[length] = end
        self.text = _one_style("".join(parts))

    def raw(self, start: int, end: int) -> tuple[int, int] | None:
        """The span in the raw text; None where it would cut a character."""
        if self._raw is None:
            if self._graphemes is None:  # most texts have no match
                self._graphemes = Graphemes(self.text)
            return (start, end) if all(map(self._graphemes.is_border, (start, end))) else None
        first, last = self._raw.get(start), self._raw.get(end)
        return None if first is None or last is None else (first, last)
