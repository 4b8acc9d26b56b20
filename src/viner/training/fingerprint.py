"""What a checkpoint belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from viner.base import identity
from viner.document import Document
from viner.training.config import TrainingConfig
from viner.training.teacher import Teacher


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
        base: Folder of the base encoder, or of the larger model.
        labels: Labels of the entity layer, in the order of the outputs.
        train: Documents to learn from.
        dev: Documents to choose the best epoch on.
        config: All choices.
        teacher: What teaches, if anything does.
    """
    digest = hashlib.sha256(json.dumps([identity(base), list(labels), config.to_dict()]).encode())
    if teacher is not None:
        digest.update(teacher.identity.encode())
    for documents in (train, dev):
        for document in documents:
            digest.update(document.to_json().encode())
        digest.update(b"\0")
    return digest.hexdigest()
