"""A segmenter for tests: it joins the pairs that it knows, and is offered as a package would offer its own."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from viner.encoding import SEGMENTS
from viner.text import segment

NAME = "pairs"
PAIRS = {("Hà", "Nội"), ("Đà", "Nẵng"), ("hôm", "qua"), ("sáng", "nay"), ("bệnh", "viện"), ("đại", "học"), ("gặp", "ở")}


class Pairs:
    """Joins :data:`PAIRS`, in any case, from left to right."""

    version = "1.0"

    def segment(self, words: Sequence[str]) -> list[tuple[int, int]]:
        known = {(a.lower(), b.lower()) for a, b in PAIRS}
        ranges, index = [], 0
        while index < len(words):
            size = 2 if tuple(word.lower() for word in words[index : index + 2]) in known else 1
            ranges.append((index, index + size))
            index += size
        return ranges


def offer(monkeypatch: pytest.MonkeyPatch, name: str = NAME, place: str = "support.segmenters:Pairs") -> None:
    """Has an installed package offer a segmenter, for the time of a test."""
    points = [EntryPoint(name, place, segment.GROUP)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == segment.GROUP else [])
    monkeypatch.setattr(segment, "find_segmenter", segment.find_segmenter)  # so that what it remembers ends with the test
    segment.find_segmenter.cache_clear()


def says_it_reads_segments(model: Path, folder: Path, name: str = NAME) -> Path:
    """A copy of a model folder that says it reads the segments of a segmenter, for what looks no further."""
    shutil.copytree(model, folder)
    about = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    about |= {"segmenter": {"name": name, "version": "1.0"}, "views": [*about["views"], SEGMENTS]}
    (folder / "viner.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
