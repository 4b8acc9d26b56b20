"""The corpora that ship with viner, as files to train on and as documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from viner.bundle import Origin
from viner.document import Document
from viner.errors import UsageError
from viner.formats import read
from viner.schema import Schema

SPLITS = ("train", "dev", "test")
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Corpus:
    """A bundled corpus: a folder with one file of inline markup a split, its schema, origin, guideline and license.

    Args:
        name: The name of the corpus and of its folder.
        folder: Where its files are.
    """

    name: str
    folder: Path

    @property
    def train(self) -> Path:
        """The file to train on."""
        return self.path("train")

    @property
    def dev(self) -> Path:
        """The file to choose on."""
        return self.path("dev")

    @property
    def test(self) -> Path:
        """The file to report on."""
        return self.path("test")

    def path(self, split: str) -> Path:
        """The file of a split.

        Raises:
            UsageError: If there is no such split.
        """
        if split not in SPLITS:
            raise UsageError(f"no split {split!r}", where=f"corpus {self.name}", hint=f"Splits: {', '.join(SPLITS)}")
        return self.folder / f"{split}.txt"

    def documents(self, split: str) -> Iterator[Document]:
        """The documents of a split in file order; ``meta`` holds ``lang``, and ``form`` or ``note`` where a text is special."""
        return read(self.path(split), format="inline")

    def schema(self) -> Schema:
        """The types with descriptions, colors (at least 4.5:1 against white) and keys."""
        return Schema.from_dict(json.loads((self.folder / "schema.json").read_text(encoding="utf-8")))

    def origin(self) -> Origin:
        """Its name for people, its license and languages, for the models that learn from it."""
        return Origin.from_dict(json.loads((self.folder / "origin.json").read_text(encoding="utf-8")))


def corpora() -> tuple[str, ...]:
    """Names of the bundled corpora."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob("*/schema.json")))


def corpus(name: str = "epidemic") -> Corpus:
    """The bundled corpus of that name.

    Raises:
        UsageError: If there is none.
    """
    if name not in corpora():
        raise UsageError(f"no bundled corpus {name!r}", hint=f"Bundled: {', '.join(corpora())}")
    return Corpus(name, _FOLDER / name)
