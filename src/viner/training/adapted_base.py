"""A base that went on learning, as a folder like any other base."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viner.errors import TrainingError
from viner.training.model import quiet

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "bpe.codes")
_RECORD, _LOG = "adaptation.json", "adaptation.jsonl"


@dataclass(frozen=True, slots=True)
class AdaptedBase:
    """A base that went on learning.

    Args:
        folder: A base folder like any other: configuration, weights, tokenizer.
        record: What is known of it: ``{"passages", "words", "pieces", "held_out", "sha256", "epochs", "seconds", "rate",
            "before", "after", "kept"}``; before and after are ``Guesses`` on the held-out passages.
        log: The events.
    """

    folder: Path
    record: dict[str, Any]
    log: Path

    @classmethod
    def find(cls, folder: Path) -> AdaptedBase | None:
        """What lies in a folder; None if nothing does."""
        if not (folder / _RECORD).is_file():
            return None
        return cls(folder, json.loads((folder / _RECORD).read_text(encoding="utf-8")), folder / _LOG)

    @classmethod
    def write(cls, folder: Path, encoder: Any, base: Path, record: dict[str, Any], log: Path) -> AdaptedBase:
        """Writes an adapted encoder as a folder that appears whole or not at all.

        Args:
            folder: Where; it does not exist.
            encoder: The encoder.
            base: The folder that it came from, whose tokenizer it keeps.
            record: What is known of it.
            log: The file of events, copied if there is one.

        Raises:
            TrainingError: If it cannot be written.
        """
        draft = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            with quiet():
                encoder.save_pretrained(draft)
            for name in _TOKENIZER_FILES:
                if (base / name).is_file():
                    shutil.copyfile(base / name, draft / name)
            if log.is_file():
                shutil.copyfile(log, draft / _LOG)
            (draft / _RECORD).write_text(json.dumps(record) + "\n", encoding="utf-8")
            draft.rename(folder)
        except (OSError, RuntimeError) as error:  # safetensors reports a full disk in a way of its own
            shutil.rmtree(draft, ignore_errors=True)
            raise TrainingError(
                f"the adapted base cannot be written ({error})",
                where=folder.parent,
                hint="Free disk space and start the same command again",
            ) from error
        return cls(folder, record, folder / _LOG)
