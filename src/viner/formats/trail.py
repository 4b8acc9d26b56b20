"""Where documents stand in their files, for errors that know a document by its id alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from viner.errors import FormatError, InputError
from viner.formats.files import Source


class Trail:
    """Which file and line documents came from, so that whoever takes them later can say where one of them stands.

    It remembers as many as a store takes at once, and some more.
    """

    def __init__(self) -> None:
        self._last: deque[tuple[str, Source, int | None, int]] = deque(maxlen=20_000)

    def leave(self, name: str, source: Source, number: int) -> None:
        """Remembers where the document stands that was read last.

        Args:
            name: Its id.
            source: The file.
            number: Which of the file's documents it is, from 1, where its format does not say the line.
        """
        self._last.append((name, source, source.line, number))

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Puts file and line before the place of errors about a document."""
        try:
            yield
        except FormatError:
            raise  # it says file and line
        except InputError as error:
            where = error.where or ""
            named = [item for item in self._last if where == item[0] or where.startswith(f"{item[0]}: ")]
            if named:
                # The newest of those with one id.
                _, source, line, number = max(reversed(named), key=lambda item: len(item[0]))
                place = f"{source.name} (document {number:,})" if line is None else source.where(line)
                error.where = f"{place}: {where}"
            raise
