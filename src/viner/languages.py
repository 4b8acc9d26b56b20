"""The languages that people read viner's pages in, and what is said in them."""

from __future__ import annotations

from collections.abc import Mapping

from viner.errors import UsageError

LANGUAGES = ("en", "vi")
"""Codes of the languages, the default one first."""

LANGUAGE_NAMES = {"en": "English", "vi": "Tiếng Việt"}


class Say:
    """Messages in one language.

    Args:
        messages: For each key the message in each of :data:`LANGUAGES`, with placeholders.
        language: One of :data:`LANGUAGES`.

    Raises:
        UsageError: If there is nothing in that language.
    """

    def __init__(self, messages: Mapping[str, tuple[str, str]], language: str) -> None:
        if language not in LANGUAGES:
            raise UsageError(f"no interface in {language!r}", where="language", hint=f"Use one of {', '.join(LANGUAGES)}")
        self.language = language
        self._messages = messages
        self._index = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        """A message with its placeholders filled in; plain text, to be escaped where it becomes HTML."""
        return self._messages[key][self._index].format(**values)

    def number(self, value: int) -> str:
        """A whole number with the language's separator of thousands."""
        grouped = f"{value:,}"
        return grouped.replace(",", ".") if self.language == "vi" else grouped

    def decimal(self, value: float, places: int) -> str:
        """A number with the language's decimal mark."""
        return self._marked(f"{value:.{places}f}")

    def short(self, value: float) -> str:
        """A number as somebody gave it, with the language's decimal mark and no zeros at its end."""
        return self._marked(f"{value:.12g}")

    def _marked(self, number: str) -> str:
        return number.replace(".", ",") if self.language == "vi" else number
