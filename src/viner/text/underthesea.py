"""The segmenter of underthesea (extra "vi"): a conditional random field, computed in Rust, with its model in the wheel."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from viner.errors import MissingExtraError
from viner.text.segment import group_words


class Underthesea:
    """Groups words as ``underthesea.word_tokenize`` does.

    Raises:
        MissingExtraError: If underthesea is not installed.
    """

    def __init__(self) -> None:
        try:
            from underthesea import word_tokenize
        except ImportError:
            raise MissingExtraError("the segmenter underthesea", "vi") from None
        self._tokenize = word_tokenize
        self.version = version("underthesea")
        word_tokenize("a")  # reads the model now, not in the first of several threads that ask

    def segment(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """See :class:`viner.text.segment.Segmenter`."""
        # Tokens as they stand in the text, not in underthesea's spelling: they are counted in characters.
        return group_words(words, self._tokenize(" ".join(words), use_token_normalize=False))
