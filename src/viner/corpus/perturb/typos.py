"""Slips of the finger.

Damerau (A technique for computer detection and correction of spelling errors, CACM 1964) found four of five misspelled words to
be one letter too many, one missing, one wrong, or two neighbors swapped. A wrong letter is taken from a neighboring key.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import regex

from viner.corpus.perturb.rewriting import rewrite_pieces
from viner.document import Document
from viner.text import strip_diacritics

RATE = 0.1
"""Share of the words that are mistyped."""

_SHORTEST = 3
"""Letters of the shortest word that is mistyped: less would leave nothing to recognize it by."""

_CLUSTERS = regex.compile(r"\X")


def _neighbors() -> Mapping[str, str]:
    """The keys around each letter's key on a QWERTY keyboard, whose rows are shifted by a quarter and by three quarters."""
    rows = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))
    places = {key: (shift + column, row) for row, (keys, shift) in enumerate(rows) for column, key in enumerate(keys)}
    return {
        key: "".join(other for other, (a, b) in places.items() if other != key and abs(a - x) <= 1 and abs(b - y) <= 1)
        for key, (x, y) in places.items()
    }


_NEIGHBORS = _neighbors()


def with_typos(document: Document, rng: Random, rate: float = RATE) -> Document:
    """The document with some of its words mistyped.

    Args:
        document: Any document. Words of fewer than three letters stay as they are, and so do scripts other than Latin.
        rng: Draws the words and what goes wrong.
        rate: Share of the words, in [0, 1].
    """
    return rewrite_pieces(document, lambda piece: _mistyped(piece, rng) if rng.random() < rate else piece)


def _mistyped(word: str, rng: Random) -> str:
    letters: list[str] = _CLUSTERS.findall(word)
    keys = [strip_diacritics(letter).lower() for letter in letters]
    typed = [index for index, key in enumerate(keys) if key in _NEIGHBORS]
    if len(typed) < _SHORTEST:
        return word
    at = rng.choice(typed)
    slip = rng.choice(("missing", "wrong", "extra", "swapped"))
    if slip == "missing":
        letters[at] = ""
    elif slip == "swapped":
        other = at + 1 if at + 1 < len(letters) else at - 1
        letters[at], letters[other] = letters[other], letters[at]
    else:
        key = rng.choice(_NEIGHBORS[keys[at]])
        key = key.upper() if letters[at].isupper() else key
        letters[at] = key if slip == "wrong" else letters[at] + key
    return "".join(letters)
