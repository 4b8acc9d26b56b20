"""What files are called, in documents and messages."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from viner.formats.packing import unpacked_name

_SURROGATE = re.compile("[\ud800-\udfff]")


def speakable(name: str) -> str:
    """A file's name as text: what stands for bytes that cannot be decoded becomes U+FFFD, since no text holds it."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", name)


def stem_of(path: Path) -> str:
    """What ids of a file's documents begin with: its path without the endings."""
    return speakable((path.parent / Path(unpacked_name(path.name)).stem).as_posix())


def distinct_stems(paths: Sequence[str | os.PathLike[str]], stems: Sequence[str]) -> list[str]:
    """Stems that tell files apart: where documents would have the same ids, those of names, then of paths, then of places.

    Args:
        paths: The files.
        stems: Their stems, as :func:`stem_of` gives them.

    Returns:
        A stem for each file, no two of them the same unless a file is called like another one's place.
    """
    found = list(stems)
    names = [speakable(Path(path).as_posix()) for path in paths]
    for others in (
        [stem + speakable(Path(path).suffix) for path, stem in zip(paths, stems, strict=True)],
        names,
        [f"{name}#{place}" for place, name in enumerate(names, 1)],
    ):
        counts = Counter(found)
        found = [stem if counts[stem] == 1 else other for stem, other in zip(found, others, strict=True)]
    return found
