"""Texts that nobody need have annotated, which a training reads beside its annotated files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viner.bulk.inputs import Inputs, find_inputs
from viner.document import Document
from viner.errors import UsageError
from viner.formats import Source, read_source
from viner.formats.files import STDIN
from viner.text import nfc

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A file, a folder or a pattern, or several."""


def bare_text(text: str) -> str:
    """A text in NFC without its white space, by which two texts are compared that come from different files."""
    return "".join(nfc(text).split())


@dataclass(frozen=True, slots=True)
class Reading:
    """How the annotated files of a training are read.

    Args:
        files: The files.
        format: Their format; None finds it out for each.
        options: Options of that format.
    """

    files: Sequence[str | Path | None]
    format: str | None
    options: Mapping[str, Any]

    def is_annotated(self, path: str) -> bool:
        """Whether a path is that of one of the files."""
        return any(file is not None and Path(file).resolve() == Path(path).resolve() for file in self.files)


@dataclass(slots=True)
class PlainTexts:
    """Files of which the text alone counts, found and checked.

    Args:
        inputs: The files.
        option: What named them, for errors.
        counts: How many ``documents`` were taken, and how many ``left_out``; complete when all have been read.
    """

    inputs: Inputs
    option: str
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def find(cls, paths: Paths | None, option: str) -> PlainTexts | None:
        """Finds the files; None where nobody named any.

        Args:
            paths: Files, folders and patterns.
            option: The option that named them.

        Raises:
            UsageError: If one is standard input.
            InputError: If there are no such files.
        """
        named = [paths] if isinstance(paths, str | os.PathLike) else [*(paths or ())]
        if not named:
            return None
        if any(os.fspath(path) == STDIN for path in named):
            raise UsageError(
                f"{option} cannot read standard input: a training that is killed reads the texts again",
                hint="Write them to a file",
            )
        return cls(find_inputs(named), option)

    @property
    def where(self) -> str:
        """Their paths, for errors; the first ones of many."""
        return ", ".join(file.path for file in self.inputs.files[:3]) + (", …" if len(self.inputs.files) > 3 else "")

    def read(self, reading: Reading, left_out: Iterable[str], *, distinct: bool = False) -> Iterator[Document]:
        """The texts that are not blank, with the words that their files have and nothing else.

        Args:
            reading: How the annotated files are read, for those of them that are texts to learn from as well.
            left_out: Texts that are left out, whatever their white space: a CoNLL file parts words that its source does not.
            distinct: Leave out, too, what has been read before.

        Raises:
            InputError: If a file cannot be read.
        """
        self.counts = Counter(documents=0, left_out=0)
        known = set(map(bare_text, left_out))
        for file in self.inputs.files:
            format, options = (reading.format, reading.options) if reading.is_annotated(file.path) else (None, {})
            for document in read_source(Source(file.path, stem=file.stem), format, **options):
                text = document.text
                if not text.strip():
                    continue
                bare = bare_text(text)
                self.counts["left_out" if bare in known else "documents"] += 1
                if bare not in known:
                    if distinct:
                        known.add(bare)
                    yield Document(text, words=document.words)
