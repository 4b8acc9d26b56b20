"""Texts with the answer of the machine that exported the model: a processor that disagrees cannot be trusted with int8."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viner.bundle.processor import read_processor
from viner.document import Document, Entity
from viner.errors import BundleError, InputError

NAME = "canaries.json"
# Instruction sets that decide which int8 kernel runs.
_FLAGS = ("amx_int8", "avx512_vnni", "avx_vnni", "avx512bw", "avx2", "asimddp", "i8mm")


@dataclass(frozen=True, slots=True)
class Canaries:
    """Texts and the entities that the chosen graph found in them.

    Args:
        processor: The machine that answered, as :func:`processor` names it.
        documents: The texts with their words' spans, where they do not come from the splitter, and entities.
        logits: For the first words of the first documents what the graph says. *Shape:* (words, tags)
            each. Empty in folders that were written before there were any.
    """

    processor: str
    documents: Sequence[Document]
    logits: Sequence[NDArray[np.float32]] = ()

    def distance(self, other: Canaries) -> float | None:
        """How far the logits of other answers to the same texts are off.

        Returns:
            Their mean absolute difference as a share of how much logits vary from word to word; 0.1 is one tenth. Logits are
            rounded, so those that hardly vary count as varying by 0.1. None if there are no logits to compare.
        """
        mine = [part for part in self.logits if len(part)]
        others = [part for part in other.logits if len(part)]
        # Another version of viner may cut these texts into other words.
        if not mine or [part.shape for part in mine] != [part.shape for part in others]:
            return None
        expected = np.concatenate(mine)
        difference = np.abs(expected - np.concatenate(others)).mean()
        return float(difference / max(0.1, expected.std(axis=0).mean()))

    def to_json(self) -> str:
        """The content of ``canaries.json``."""
        lines = []
        for document in self.documents:
            entities = tuple(Entity(entity.start, entity.end, entity.label) for entity in document.entities or ())
            lines.append("  " + document.with_(entities=entities).to_json())
        texts = ",\n".join(lines)
        # Rounded to hundredths: a processor is at fault by much more.
        logits = ",\n".join(
            "  " + json.dumps([[round(float(value), 2) for value in word] for word in part], separators=(",", ":"))
            for part in self.logits
        )
        head = json.dumps(self.processor, ensure_ascii=False)
        return f'{{"processor": {head}, "documents": [\n{texts}\n], "logits": [\n{logits}\n]}}\n'

    @classmethod
    def read(cls, path: Path) -> Canaries:
        """Reads ``canaries.json``.

        Raises:
            BundleError: If it is missing or does not hold what it should.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            logits = [np.array(part, dtype=np.float32) for part in data.get("logits", ())]
            return cls(str(data["processor"]), tuple(Document.from_dict(item) for item in data["documents"]), logits)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError) as error:
            raise BundleError(f"it cannot be read ({error})", where=path, hint="Copy the model folder again") from error


@cache
def processor() -> str:
    """Names the processor and those of its instruction sets that decide how int8 products are computed."""
    name, flags = read_processor()
    return " ".join([platform.machine(), name, *(flag for flag in _FLAGS if flag in flags)])
