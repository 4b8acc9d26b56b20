"""Vietnamese words as the keys that were pressed, where the input method was off or lagged behind: *nguwowif* for *người*.

Telex writes a letter's mark as a second key behind it, and the tone as a key behind the syllable. Such syllables are among the
mistyped ones that collections of Vietnamese spelling errors hold (Do et al., VSEC, PRICAI 2021).
"""

from __future__ import annotations

import unicodedata
from random import Random

from viner.corpus.perturb.rewriting import by_syllable, rewrite_pieces
from viner.document import Document

RATE = 0.1
"""Share of the words that stay as typed, of those that have a mark at all."""

_MARKS = {"\u0306": "w", "\u031b": "w"}  # breve, horn; a circumflex doubles its letter
_CIRCUMFLEX = "\u0302"
_TONES = {"\u0301": "s", "\u0300": "f", "\u0309": "r", "\u0303": "x", "\u0323": "j"}


def with_telex(document: Document, rng: Random, rate: float = RATE) -> Document:
    """The document with some of its Vietnamese words as Telex keys.

    Args:
        document: Any document.
        rng: Draws the words.
        rate: Share of the words that have a mark, in [0, 1].
    """
    return rewrite_pieces(document, lambda piece: by_syllable(piece, telex) if rng.random() < rate else piece)


def telex(word: str) -> str:
    """The keys that type a Vietnamese syllable, in its own case; one that Telex does not type stays as it is."""
    keys: list[str] = []
    tone = ""
    for char in unicodedata.normalize("NFD", word):
        if char in "đĐ":
            keys += "d" if char == "đ" else "D", "d"
        elif char == _CIRCUMFLEX and keys:
            keys.append(keys[-1].lower())
        elif char in _MARKS and keys:
            keys.append(_MARKS[char])
        elif char in _TONES and keys and not tone:
            tone = _TONES[char]
        elif char.isalpha() and char.isascii():
            keys.append(char)
        else:
            return word
    typed = "".join([*keys, tone])
    return typed.upper() if word.isupper() and len(word) > 1 else typed
