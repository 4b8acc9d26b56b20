"""Views of a word: what a model may be shown instead of the raw characters.

Views are applied word by word, so the spans of the raw words are the alignment, and the stored text is never touched.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

ToneStyle = Literal["new", "old"]

# Grave, acute, hook above, tilde, dot below: the five tones that Vietnamese marks.
_TONES = "\u0300\u0301\u0309\u0303\u0323"
# An open syllable whose rhyme is oa, oe or uy, decomposed: only there do the two styles differ. "qu" is an onset, so its u
# never takes the tone in either style.
_OPEN = re.compile(
    rf"(?P<onset>[bcdđghklmnprstvx]{{0,3}})(?:(?P<o>o)(?P<ot>[{_TONES}]?)(?P<ae>[ae])|(?P<u>u)(?P<ut>[{_TONES}]?)(?P<y>y))(?P<last>[{_TONES}]?)",
    re.IGNORECASE,
)


def nfc(word: str) -> str:
    """The word in Unicode normalization form C."""
    return unicodedata.normalize("NFC", word)


def tone_style(word: str, style: ToneStyle) -> str:
    """The word in NFC with the tone mark where one Vietnamese spelling puts it.

    Both spellings are in use, about evenly, and NFC does not merge them: the old one writes *hòa, khỏe, thúy*, the new one
    *hoà, khoẻ, thuý*. They differ in open syllables with oa, oe and uy only; any other word just becomes NFC.

    Args:
        word: One syllable, in any case and normalization form.
        style: "new" puts the tone on the second vowel, "old" on the first.
    """
    match = _OPEN.fullmatch(unicodedata.normalize("NFD", word))
    if match is None:
        return nfc(word)
    first, second = (match["o"], match["ae"]) if match["o"] else (match["u"], match["y"])
    tone = (match["ot"] or match["ut"] or "") + match["last"]
    if len(tone) != 1:
        return nfc(word)
    rhyme = first + tone + second if style == "old" else first + second + tone
    return nfc(match["onset"] + rhyme)


def strip_diacritics(word: str) -> str:
    """The word without combining marks and with ``d`` for ``đ``, as people type without a Vietnamese keyboard."""
    bare = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", bare.replace("đ", "d").replace("Đ", "D"))
