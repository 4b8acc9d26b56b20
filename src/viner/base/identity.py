"""What a base encoder is, whatever it is called and wherever it lies."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

_WEIGHTS = (".safetensors", ".bin", ".model")
"""Endings of weights, and of a tokenizer that SentencePiece trained."""
_TOKENIZERS = ("tokenizer", "vocab", "merges", "added_tokens", "special_tokens", "bpe")
"""What files of a base begin with that say how it cuts words into pieces."""


def identity(folder: Path) -> str:
    """SHA-256 of what a base is: its configuration, its tokenizer and its weights.

    Names of folders are not part of it, nor are cards and graphs. A file is read once in a process as long as it stays as it
    is, since weights can be large.

    Args:
        folder: Folder of the base encoder, or of a model that is started from.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        named = file.name == "config.json" or file.name.startswith(_TOKENIZERS) or file.suffix in _WEIGHTS
        if named and file.is_file():
            stat = file.stat()
            digest.update(f"{file.name}\0{_content(file.resolve(), stat.st_size, stat.st_mtime_ns)}\0".encode())
    return digest.hexdigest()


@lru_cache(maxsize=1024)
def _content(file: Path, size: int, changed: int) -> str:
    """SHA-256 of a file that had this size when it was changed last."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
