"""Where an entity may begin and end: no rule makes one that nobody could mark."""

from __future__ import annotations

from collections.abc import Iterable

from viner.document import Entity
from viner.text import Graphemes


class Borders:
    """Tells spans of one text that an entity can have from those that cut a character, or begin or end with white space.

    Args:
        text: The raw text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._graphemes: Graphemes | None = None

    def whole(self, entities: Iterable[Entity]) -> list[Entity]:
        """The entities with such spans."""
        return [entity for entity in entities if self._is_whole(entity.start, entity.end)]

    def _is_whole(self, start: int, end: int) -> bool:
        if self._text[start].isspace() or self._text[end - 1].isspace():
            return False
        if self._graphemes is None:  # most texts have no hit
            self._graphemes = Graphemes(self._text)
        return self._graphemes.is_border(start) and self._graphemes.is_border(end)
