"""What a checkpoint belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from viner.document import Document
from viner.training.config import TrainingConfig
from viner.training.teacher import Teacher

_WEIGHTS = (".safetensors", ".bin")
_TOKENIZERS = ("tokenizer", "vocab", "merges", "added_tokens", "special_tokens", "bpe")
"""What files of a base begin with that say how it cuts words into pieces."""


def training_fingerprint(
    base: Path,
    labels: Sequence[str],
    train: Sequence[Document],
    dev: Sequence[Document],
    config: TrainingConfig,
    teacher: Teacher | None,
) -> str:
    """SHA-256 that is another one as soon as a training would go another way.

    Args:
        base: Folder of the base encoder. Of its weights, names and sizes count.
        labels: Labels of the entity layer, in the order of the outputs.
        train: Documents to learn from.
        dev: Documents to choose the best epoch on.
        config: All choices.
        teacher: What teaches, if anything does.
    """
    digest = hashlib.sha256(json.dumps([base.name, list(labels), config.to_dict()]).encode())
    if teacher is not None:
        digest.update(teacher.identity.encode())
    # Two bases can share a folder's name. A larger model's card and graphs may change, its weights and tokenizer may not.
    for file in sorted(base.iterdir()):
        if file.suffix in _WEIGHTS:
            digest.update(f"{file.name} {file.stat().st_size}\0".encode())
        elif file.name == "config.json" or file.name.startswith(_TOKENIZERS) or file.suffix == ".model":
            digest.update(file.read_bytes())
    for documents in (train, dev):
        for document in documents:
            digest.update(document.to_json().encode())
        digest.update(b"\0")
    return digest.hexdigest()
