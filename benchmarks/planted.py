"""Is every entity where it was? A known entity at a known offset in random Unicode texts, through every part of viner.

`_planted_texts.py` makes the texts. The recognizer is the tests' tiny model: its
weights are set by hand, so it knows the planted words for certain, and all else is the real path (words, pieces, windows, ONNX
Runtime in int8, decoding). Each text goes through each stage:

    pieces     annotation -> words -> tags, and the bundled base's pieces of every word
    windows    those tags cut into windows of 64 pieces, merged and decoded
    engine     raw text -> recognizer
    rest       raw text -> HTTP -> recognizer -> HTTP, offsets in code points
    rest utf16 the same with ?offsets=utf16, counted in UTF-16 units of the text
    jsonl      document -> file -> document
    conll      document -> file -> document, exact text included

Exit status 1 if one is lost. The seed is fixed; VINER_BENCH_SIZE=small takes 2,000 texts. About 3 minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from _bench import ROOT, report, size, table
from _planted_texts import SEED, entity, plant
from viner.base import unpack
from viner.document import Document
from viner.encoding import BioDecoder, PieceEncoder, align, plan_windows
from viner.formats import read, write
from viner.runtime import Recognizer
from viner.text import split_words

sys.path.insert(0, str(ROOT / "tests"))
from support.tiny import LABELS, tiny_bundle

REQUEST = 100
"""Texts in one REST request."""
WINDOW, OVERLAP = 64, 16

Span = tuple[int, int, str]


@dataclass
class Stage:
    """Counts what came back through one stage."""

    name: str
    planted: int = 0
    found: int = 0
    others: int = 0
    seconds: float = 0.0
    lost: list[str] = field(default_factory=list)

    def check(self, document: Document, answer: Iterable[Span], expected: Span | None = None) -> None:
        """Compares the entities that came back with the planted one, or with its offsets in another unit."""
        wanted = expected or entity(document)
        answers = list(answer)
        self.planted += 1
        self.others += sum(item != wanted for item in answers)
        if wanted in answers:
            self.found += 1
        elif len(self.lost) < 5:
            start, end, _ = wanted
            near = document.text[max(0, start - 12) : end + 12]
            self.lost.append(f"{self.name}: text {document.id}, {wanted} became {answers[:3]}, around {near!a}")


def through_pieces(documents: list[Document], encoder: PieceEncoder, pieces: Stage, windows: Stage) -> None:
    """Annotation to words to tags, and tags through the windows of a real tokenizer back to entities."""
    decoder = BioDecoder(LABELS)
    for document in documents:
        words = split_words(document.text)
        aligned = align(document, words, LABELS)
        encoded = encoder.encode(document.text, words)
        every_word_has_pieces = len(encoded.offsets) == len(words) + 1 and bool((np.diff(encoded.offsets) > 0).all())
        emissions = np.full((len(words), 2 * len(LABELS) + 1), -20, dtype=np.float32)
        emissions[np.arange(len(words)), aligned.tags] = 0

        def spans(emissions: Any, words: list[tuple[int, int]] = words) -> list[Span]:
            return [(words[s.first][0], words[s.last - 1][1], s.label) for s in decoder.decode(emissions)]

        pieces.check(document, spans(emissions) if every_word_has_pieces and not aligned.lost else ())
        merged = np.zeros_like(emissions)
        for window in plan_windows(encoded.offsets, encoder.capacity, OVERLAP):
            seen = emissions[window.first : window.last]
            # Added, not assigned: a word that two windows answer would stand out.
            merged[window.keep_first : window.keep_last] += seen[
                window.keep_first - window.first : window.keep_last - window.first
            ]
        windows.check(document, spans(merged) if (merged == emissions).all() else ())


def through_engine(documents: list[Document], recognizer: Recognizer, stage: Stage) -> None:
    """Raw text, no words given, to entities."""
    for document, answer in zip(documents, recognizer.stream(d.text for d in documents), strict=True):
        stage.check(document, ((e.start, e.end, e.label) for e in answer.entities or ()))


def through_rest(documents: list[Document], client: Any, unit: str, stage: Stage) -> None:
    """Raw texts over HTTP. UTF-16 offsets are checked against Python's own UTF-16, surfaces against the text."""
    for first in range(0, len(documents), REQUEST):
        part = documents[first : first + REQUEST]
        response = client.post("/api/v1/recognize", params={"offsets": unit}, json={"texts": [d.text for d in part]})
        response.raise_for_status()
        for document, answer in zip(part, response.json()["documents"], strict=True):
            start, end, label = entity(document)
            surface = document.text[start:end]
            if unit == "utf16":
                start, end = (len(document.text[:offset].encode("utf-16-le")) // 2 for offset in (start, end))
            found = [(e["start"], e["end"], e["label"]) for e in answer["entities"] if e["text"] == surface]
            stage.check(document, found if answer["text"] == document.text else (), (start, end, label))


def through_format(documents: Iterator[Document], name: str, stage: Stage) -> None:
    """A file written and read again; the text must be the same to the last character."""
    with tempfile.TemporaryDirectory(prefix="viner-planted-") as folder:
        path = Path(folder) / f"planted.{name}"
        kept: list[Document] = []

        def remember(documents: Iterable[Document]) -> Iterator[Document]:
            for document in documents:
                kept.append(document)
                yield document.with_(words=split_words(document.text))

        write(remember(documents), path, name)
        for document, answer in zip(kept, read(path, name), strict=True):
            same = answer.text == document.text and answer.id == document.id
            stage.check(document, ((e.start, e.end, e.label) for e in answer.entities or ()) if same else ())


def main() -> int:
    from fastapi.testclient import TestClient

    from viner.server import Settings, create_app

    count = size(100_000, 2_000)
    stages = {name: Stage(name) for name in ("pieces", "windows", "engine", "rest", "rest utf16", "jsonl", "conll")}

    def timed(name: str, work: Callable[..., None], *arguments: Any) -> None:
        began = time.perf_counter()
        work(*arguments)
        stages[name].seconds += time.perf_counter() - began

    characters = 0
    with tempfile.TemporaryDirectory(prefix="viner-planted-") as folder:
        encoder = PieceEncoder.from_folder(unpack(), max_pieces=WINDOW)
        recognizer = Recognizer.load(tiny_bundle(Path(folder) / "model"))
        with TestClient(create_app(recognizer, Settings(), console=False)) as client:
            planted = map(plant, range(count))
            while documents := list(islice(planted, 2_000)):
                characters += sum(len(document.text) for document in documents)
                timed("pieces", through_pieces, documents, encoder, stages["pieces"], stages["windows"])
                timed("engine", through_engine, documents, recognizer, stages["engine"])
                timed("rest", through_rest, documents, client, "codepoint", stages["rest"])
                timed("rest utf16", through_rest, documents, client, "utf16", stages["rest utf16"])
                for name in ("jsonl", "conll"):
                    timed(name, through_format, iter(documents), name, stages[name])
    print(f"{count:,} texts, {characters:,} characters; engine {recognizer.engine}; seed {SEED}\n")
    table(
        ("stage", "planted", "at its offset", "lost", "other entities", "seconds"),
        [(s.name, s.planted, s.found, s.planted - s.found, s.others, s.seconds or "with pieces") for s in stages.values()],
    )
    for stage in stages.values():
        for line in stage.lost:
            print(line)
    passes = sum(stage.planted for stage in stages.values())
    found = sum(stage.found for stage in stages.values())
    report({"planted": count, "stages": len(stages), "passes": passes, "found_at_offset": found, "lost": passes - found})
    return int(found < passes)


if __name__ == "__main__":
    sys.exit(main())
