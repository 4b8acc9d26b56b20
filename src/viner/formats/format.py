"""What a file format is to viner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from viner.document import Document


@dataclass(frozen=True, slots=True)
class Format:
    """One way to hold documents in a file. Third parties add theirs as entry points of the group ``viner.formats``.

    Args:
        name: What ``format=`` and ``--format`` say.
        description: One line for lists and help.
        extensions: Lower-case file name endings with the dot; a further ``.gz`` or ``.zst`` is taken care of.
        matches: Whether the beginning of a file (some thousand characters, cut anywhere) looks like this format.
        read: ``read(source, **options)`` yields the documents of a :class:`~viner.formats.files.Source` one by one. Its
            keyword-only parameters are the format's options. It raises FormatError with ``where`` = ``file:line``.
        write: ``write(documents, sink, report, **options)`` hands strings to ``sink``, or bytes, and counts in the
            :class:`~viner.formats.report.WriteReport` what the format could not say.
        binary: Its files are no text.
        readable: ``read`` gives documents, rather than a reason why it does not.
    """

    name: str
    description: str
    extensions: tuple[str, ...]
    matches: Callable[[str], bool]
    read: Callable[..., Iterator[Document]]
    write: Callable[..., None]
    binary: bool = False
    readable: bool = True
