"""A recognizer of a few regular expressions that gives real documents, for tests of what stands around a model."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from viner.document import Document, Entity
from viner.schema import Schema
from viner.text import split_words

LABELS = (
    "PATIENT_ID",
    "NAME",
    "AGE",
    "GENDER",
    "JOB",
    "LOCATION",
    "ORGANIZATION",
    "SYMPTOM_AND_DISEASE",
    "TRANSPORTATION",
    "DATE",
)
_PATTERNS = {
    "PATIENT_ID": r"(?:BN|Patient |Bệnh nhân |case )\K?(\d+)",
    "NAME": r"(Trần Văn Lực|Maura Keane|Achieng Otieno)",
    "AGE": r"(\d+)(?= tuổi|-year-old)",
    "GENDER": r"\b(nam|nữ|male|girl)\b",
    "JOB": r"(giáo viên|tài xế xe tải|kỹ sư xây dựng|bus driver|pharmacist|fisherman|nurses)",
    "LOCATION": r"(Quảng Ninh|thành phố Hạ Long|Lạng Sơn|Đà Nẵng|Hà Nội|Cork|Lisbon|Kinsale|Kenya|Garissa|Dadaab)",
    "ORGANIZATION": r"(Sở Y tế Quảng Ninh|Bệnh viện Bãi Cháy|Công ty Thép Sông Hàn|St Brendan's Hospital|Kenya Red Cross)",
    "SYMPTOM_AND_DISEASE": r"(ho khan|đau họng|khó thở|mệt mỏi|fever|dry cough|cholera|severe diarrhea|Sốt|sốt)",
    "TRANSPORTATION": r"(VN\d+|TP\d+|14B-027\.65)",
    "DATE": r"(\d{1,2}/\d{1,2}|\d+ June|\d+ November)",
}
_RULES = [(label, re.compile(pattern.replace(r"\K?", ""))) for label, pattern in _PATTERNS.items()]


@dataclass(frozen=True)
class FakeInfo:
    """What the fake says about itself."""

    name: str = "fake"
    schema: Schema = field(default_factory=lambda: Schema.of_entities(LABELS))

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name}


class FakeRecognizer:
    """Finds what its rules match; nested entities (a place in the name of an office) come out as such.

    Args:
        seconds: How long one text takes.
        error: Raised instead of an answer.
        blind: Finds nothing and splits no words, which is quick on very long texts.
    """

    def __init__(self, *, seconds: float = 0.0, error: Exception | None = None, blind: bool = False) -> None:
        self.schema = Schema.of_entities(LABELS)
        self.info = FakeInfo()
        self.calls = 0
        self.busy = threading.Event()
        self._seconds = seconds
        self._error = error
        self._blind = blind

    def __call__(self, text: str | Document) -> Document:
        self.calls += 1
        self.busy.set()
        time.sleep(self._seconds)
        if self._error is not None:
            raise self._error
        document = text if isinstance(text, Document) else Document(text)
        if self._blind:
            return document.with_(entities=[])
        entities = [
            Entity(*match.span(1), label=label, score=0.5 + (match.start() % 50) / 100, source="model")
            for label, rule in _RULES
            for match in rule.finditer(document.text)
        ]
        entities.sort(key=lambda entity: (entity.start, -entity.end))
        return document.with_(words=split_words(document.text), entities=entities)

    def stream(self, texts: Iterable[str | Document]) -> Iterator[Document]:
        return (self(text) for text in texts)
