"""Other forms of the same words: without diacritics, in the other tone style, decomposed, in lower or upper case.

Each is a function of the word alone. Nothing is drawn.
"""

from __future__ import annotations

import unicodedata

from viner.corpus.perturb.rewriting import by_syllable, rewrite_pieces
from viner.document import Document
from viner.text import nfc, strip_diacritics, tone_style


def without_diacritics(document: Document) -> Document:
    """The document as people type without a Vietnamese keyboard: *Ha Noi, duong* for *Hà Nội, đường*."""
    return rewrite_pieces(document, strip_diacritics)


def in_other_tone_style(document: Document) -> Document:
    """The document with *hoà* for *hòa* and *hòa* for *hoà*; syllables that both styles write alike stay as they are."""
    return rewrite_pieces(document, lambda piece: by_syllable(piece, _other_style))


def decomposed(document: Document) -> Document:
    """The document in Unicode normalization form D, as macOS names files: a letter, then each of its marks."""
    return rewrite_pieces(document, lambda piece: unicodedata.normalize("NFD", piece))


def in_lower_case(document: Document) -> Document:
    """The document in lower case, as in chats. ``İ`` becomes two code points."""
    return rewrite_pieces(document, str.lower)


def in_upper_case(document: Document) -> Document:
    """The document in upper case, as in headlines and forms. ``ß`` becomes two code points."""
    return rewrite_pieces(document, str.upper)


def _other_style(word: str) -> str:
    old, new = tone_style(word, "old"), tone_style(word, "new")
    if old == new:
        return word
    return new if nfc(word) == old else old
