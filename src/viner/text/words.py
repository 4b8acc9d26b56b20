"""Splitting raw text into words, the units that annotations and models speak about.

The splitter knows no language. It cuts wherever an annotator may want to begin or end an entity: at spaces, around every
punctuation mark and symbol, and between the characters of scripts that write no spaces. A file's own tokenization, where it has
one, takes precedence over it (``Document.words``).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import regex

from viner.document import Document, Span

LONGEST_WORD = 64
"""Longest word in code points; longer runs (base64, 10 MB without a space) are cut, for the models' sake."""

# What extends the character before it: combining marks, joiners, soft hyphen, word joiner, half-width kana voicing, emoji tags.
_EXTEND = r"\p{M}\u200c\u200d\u00ad\u2060\uff9e\uff9f\U000e0020-\U000e007f"
_NO_SPACES = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\u30fc\uff70]"
)
_ALPHANUMERIC = rf"[\p{{L}}\p{{N}}--{_NO_SPACES}]"
_RULER = r"[\p{P}\p{S}--[\p{Ps}\p{Pe}\p{Pi}\p{Pf}\"']]"
_EMOJI = rf"\p{{Extended_Pictographic}}[\p{{EMod}}{_EXTEND}]*+"
# Possessive and free of groups that repeat without bound: linear in time and memory on any text.
_PATTERN = regex.compile(
    rf"""
    \p{{Nd}}++(?=\p{{Ll}})                                    # a number before its unit: 38t, 34yo, 5mg, 4h30
  | {_ALPHANUMERIC}[{_ALPHANUMERIC}{_EXTEND}]*+             # letters and digits, together: BN990, 29B, m²
  | [\p{{L}}\p{{N}}][\u0e33\u0eb3{_EXTEND}]*+               # one character of a script without spaces (AM extends it)
  | \p{{RI}}\p{{RI}}[{_EXTEND}]*+                           # flags
  | {_EMOJI}(?:(?<=\u200d){_EMOJI}){{0,20}}+                # emoji, whole families too
  | ({_RULER})(?=\1\1)\1{{2,{LONGEST_WORD - 1}}}+              # a ruler of one sign: ... ----
  | [^\s\x1c-\x1f][{_EXTEND}]*+                             # any other sign alone; spaces are those of str.isspace
    """,
    regex.VERBOSE | regex.VERSION1,
)
# What makes one character with its neighbors where no pattern above expects it: signs that belong to what follows them
# (GCB=Prepend, such as the Arabic number sign), skin tones and Thai or Lao AM behind anything at all.
_PREPEND = "".join(regex.findall(r"\p{GCB=Prepend}", "".join(map(chr, range(0x600, 0x12000)))))
_RARE = re.compile(f"[{_PREPEND}\u0e33\u0eb3\U0001f3fb-\U0001f3ff]")
_STRAY = regex.compile(
    rf"[{_PREPEND}]|(?<![\u0e00-\u0eff])[\u0e33\u0eb3]|(?<!\p{{Extended_Pictographic}})\p{{EMod}}", regex.VERSION1
)
_NO_BORDER = regex.compile(rf"(?:[{_PREPEND}][^\p{{GCB=Control}}\r\n]|[^\p{{GCB=Control}}\r\n][\u0e33\u0eb3\p{{EMod}}])")
_PLAIN_BORDER = regex.compile(r"\p{GCB=Other}{2}")
_GRAPHEME = regex.compile(r"\X")

CHARACTERS = {
    "digit": r"\p{Nd}",
    "lower": r"\p{Ll}",
    "alphanumeric": _ALPHANUMERIC,
    "letter": r"[\p{L}\p{N}]",
    "extender": f"[{_EXTEND}]",
    "regional": r"\p{RI}",
    "pictograph": r"\p{Extended_Pictographic}",
    "skin": r"\p{EMod}",
    "ruler": _RULER,
    "space": r"[\s\x1c-\x1f]",
    "prepend": f"[{_PREPEND}]",
}
"""All that the splitter asks of a character, as patterns of `regex` (VERSION1), for splitters in other languages."""


def split_words(text: str) -> list[Span]:
    """Splits a text into words.

    Words are disjoint, in order, and tile the text: each code point that is no white space lies in exactly one of them.
    ``BN990-993`` gives ``BN990``, ``-``, ``993``, and ``38t`` (38 years old, in a line list) ``38``, ``t``. Combining marks
    stay with their base (so NFD text splits as its NFC form does) and emoji sequences stay whole. Han, kana, Thai, Lao, Khmer
    and Burmese split by character. A word has at most :data:`LONGEST_WORD` code points; longer runs are cut between grapheme
    clusters wherever these are short enough.

    Returns:
        ``(start, end)`` of each word in code points.
    """
    spans: list[Span] = [match.span() for match in _PATTERN.finditer(text)]
    if _RARE.search(text) and _STRAY.search(text):
        spans = _joined(text, spans)
    if any(end - start > LONGEST_WORD for start, end in spans):
        spans = [piece for span in spans for piece in _cut(text, span)]
    return spans


def words_of(document: Document) -> Sequence[Span]:
    """The words that a document brings along, else those of the splitter."""
    return split_words(document.text) if document.words is None else document.words


def words_touched(starts: Sequence[int], ends: Sequence[int], span: Span) -> range:
    """Indices of the words that a span touches.

    Args:
        starts: Where the words begin, in order.
        ends: Where they end.
        span: Any span of the text.
    """
    return range(bisect_right(ends, span[0]), bisect_left(starts, span[1]))


def _joined(text: str, spans: list[Span]) -> list[Span]:
    """The words without borders inside of characters."""
    joined: list[Span] = []
    for start, end in spans:
        last = joined[-1] if joined else (0, -1)
        if last[1] == start and _NO_BORDER.match(text, start - 1):
            joined[-1] = last[0], end
        else:
            joined.append((start, end))
    return joined


def _cut(text: str, span: Span) -> list[Span]:
    start, end = span
    pieces = []
    while end - start > LONGEST_WORD:
        border = _last_border(text, start, start + LONGEST_WORD)
        pieces.append((start, border))
        start = border
    pieces.append((start, end))
    return pieces


def _last_border(text: str, start: int, limit: int) -> int:
    """The last grapheme border in (start, limit], or ``limit`` where one cluster fills all of it."""
    if _PLAIN_BORDER.match(text, limit - 1):
        return limit
    # One code point more tells whether the limit itself is a border.
    borders = [match.start() for match in _GRAPHEME.finditer(text, start, limit + 1)]
    return borders[-1] if borders[-1] > start else limit
