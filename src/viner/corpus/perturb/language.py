"""Whether a document is Vietnamese, by its letters."""

from __future__ import annotations

import regex

from viner.document import Document
from viner.text import nfc

_LETTERS = regex.compile(r"[ăđơưĂĐƠƯ\u1ea0-\u1ef9]")
"""Letters that hardly any other language has."""


def is_vietnamese(document: Document) -> bool:
    """Whether the text has letters that are Vietnamese alone, in any normalization form."""
    return _LETTERS.search(nfc(document.text)) is not None
