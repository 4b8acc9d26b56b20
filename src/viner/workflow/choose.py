"""What a model folder runs: int8 where it finds the same entities as float32, else a cascade of both, else float32."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from viner.bundle import BundleInfo
from viner.bundle.canaries import NAME as CANARIES
from viner.bundle.info import CASCADE, place_of_graphs
from viner.corpus import sentences_of
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.metrics import EntityTally, LabeledSpan
from viner.runtime import Recognizer
from viner.samples import SPLITS, corpus
from viner.text import words_of
from viner.workflow.fingerprint import LEARNED
from viner.workflow.segments import in_segments

SENTENCES = 2_000
"""Sentences to compare on, at most."""
ENOUGH = 400
"""So many annotated entities of dev are compared on alone: on texts of another kind, one would only compare guesses."""
SAME = 0.995
"""Share of the entities that must be equal in start, end and label."""
FASTER = 1.15
"""So many times as fast as float32 a cascade must be, whose folder is larger and which takes more memory."""
_CANARIES = 50
_CALIBRATION = 100
_FEW = 200
"""Texts that warm an engine up, and that two are timed on."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine and why.

    Args:
        engine: "int8", "fp32" or "cascade".
        evidence: Counts and speeds of the comparison, for ``viner.json``.
    """

    engine: str
    evidence: dict[str, Any]

    def summary(self) -> str:
        """One line for people."""
        e = self.evidence
        speed, f1 = e["pieces_per_second"], e.get("dev_f1")
        figures = [] if f1 is None else [f"F1 {f1['int8']:.4f} against {f1['fp32']:.4f}"]
        figures.append(f"{speed['int8']:,.0f} against {speed['fp32']:,.0f} pieces/s")
        asked = e.get("asked", False)  # earlier models were not asked about
        told = (
            f"int8 gives {percent(e['same_share'])} of the entities of float32 over {e['sentences']:,} sentences"
            f"{' that it has learned' if e.get(LEARNED) else ''} ({', '.join(figures)})"
        )
        if both := e.get(CASCADE):
            told += (
                f", and {percent(both['same_share'])} where float32 computes again what it is unsure of"
                f" ({both['recomputed']:.0%} of the text, {both['times_as_fast']:.2f} times as fast as float32)"
            )
        told += f": {'asked for' if asked else 'chosen'} is {self.engine}"
        if self.engine == "fp32" and not asked and both and both["same_share"] >= e["needed"]:
            told += f", since {both['needed']:.2f} times as fast is needed (the cascade all the same: viner engine)"
        elif self.engine != "int8" and not asked:
            told += f", since {e.get('needed', SAME):.1%} are needed (int8 all the same: viner engine)"
        return told


def percent(share: float) -> str:
    """A share with two digits, rounded down: what falls short of a bound by little must not read as if it reached it."""
    return f"{math.floor(round(share * 1e4, 6)) / 1e4:.2%}"


def choose_engine(
    info: BundleInfo,
    folder: Path,
    exact: Path,
    small: Path,
    dev: Sequence[Document],
    *,
    asked: str | None = None,
    fill: bool = True,
) -> Choice:
    """Compares two graphs of one model on the dev set, at most :data:`SENTENCES` sentences of it.

    Args:
        info: What the model says about itself.
        folder: Where its tokenizer is.
        exact: The float32 graph.
        small: The int8 graph.
        dev: Documents whose text is recognized; annotated entities give F1.
        asked: The engine that somebody asked for, whatever the comparison says.
        fill: Whether a dev set with fewer than :data:`ENOUGH` entities is filled up from the bundled corpus.

    Returns:
        int8 if at least :data:`SAME` of the entities of each graph are entities of the other. Else a cascade of both, if that
        is so of it, and it is :data:`FASTER` than float32.
    """
    texts, sentences = _texts(dev, fill=fill)
    compared = dev[: len(texts)]  # dev comes first
    encoder = PieceEncoder.from_folder(folder, views=info.views, max_pieces=info.windows.pieces)
    pieces = sum(len(encoder.encode(text.text, words_of(text)).pieces) for text in in_segments(texts, info.segmenter))
    found: dict[str, set[tuple[int, int, int, str]]] = {}
    speed: dict[str, float] = {}
    f1: dict[str, float] = {}
    recomputed = 0.0
    recognizers: dict[str, Recognizer] = {}
    for name in ("fp32", "int8", CASCADE):
        if name == CASCADE and (asked or ("int8" if _share(found, "int8") >= SAME else CASCADE)) != CASCADE:
            continue  # it will not be chosen
        graph, other = (exact, None) if name == "fp32" else (small, exact if name == CASCADE else None)
        recognizers[name] = recognizer = Recognizer.from_graph(info, folder, graph, engine=name, exact=other)
        _warm(recognizer, texts)
        began = time.perf_counter()
        answers = list(recognizer.stream(texts))
        seconds = time.perf_counter() - began
        found[name] = {(i, e.start, e.end, e.label) for i, answer in enumerate(answers) for e in answer.entities or ()}
        speed[name] = round(pieces / seconds, 1)
        tally = EntityTally()
        for document, answer in zip(compared, answers, strict=False):
            if document.entities is not None:
                tally.add(_spans(document), _spans(answer))
        f1[name] = round(tally.scores().micro.f1, 5)
        recomputed = recognizer.recomputed
    share = _share(found, "int8")
    evidence = {
        "sentences": sentences,
        "entities": len(found["fp32"]),
        "same": len(found["fp32"] & found["int8"]),
        "same_share": round(share, 5),
        "needed": SAME,
        "asked": asked is not None,
        **({"dev_f1": f1} if any(document.entities for document in compared) else {}),
        "pieces_per_second": speed,
    }
    chosen = "int8" if share >= SAME else "fp32"
    if CASCADE in found:
        of_both, faster = _share(found, CASCADE), _times_as_fast(recognizers[CASCADE], recognizers["fp32"], texts)
        evidence[CASCADE] = {
            "same": len(found["fp32"] & found[CASCADE]),
            "same_share": round(of_both, 5),
            "recomputed": round(recomputed, 4),
            "times_as_fast": round(faster, 2),
            "needed": FASTER,
        }
        if chosen == "fp32" and of_both >= SAME and faster >= FASTER:
            chosen = CASCADE
    return Choice(asked or chosen, evidence)


def _warm(recognizer: Recognizer, texts: Sequence[Document]) -> None:
    """Each thread has a session of its own, which is made when there is work for it."""
    for _ in recognizer.stream(texts[:_FEW]):
        pass


def _times_as_fast(one: Recognizer, other: Recognizer, texts: Sequence[Document]) -> float:
    """How many times as fast one is as the other: the median of rounds in which they take turns, on some of the texts."""
    some = texts[:: max(1, len(texts) // _FEW)]
    ratios = []
    for _ in range(_ROUNDS):
        seconds = []
        for recognizer in (one, other):
            began = time.perf_counter()
            for _answer in recognizer.stream(some):
                pass
            seconds.append(time.perf_counter() - began)
        ratios.append(seconds[1] / seconds[0])
    return statistics.median(ratios)


def _share(found: Mapping[str, set[tuple[int, int, int, str]]], name: str) -> float:
    """The share of the entities of an engine and of float32 that are the same; without an entity there is no evidence."""
    most = max(len(found["fp32"]), len(found[name]))
    return len(found["fp32"] & found[name]) / most if most else 0.0


def _spans(document: Document) -> list[LabeledSpan]:
    return [entity.labeled_span for entity in document.entities or ()]


def recognizer_in(folder: Path, info: BundleInfo) -> Recognizer:
    """A recognizer of a model folder that is not finished yet, with its graphs in their places."""
    first, *others = (folder / name for name in place_of_graphs(info.engine).values())
    return Recognizer.from_graph(info, folder, first, exact=others[0] if others else None)


def canary_documents() -> list[Document]:
    """Texts for ``canaries.json``: of the bundled corpus, so that a model folder never carries a user's texts."""
    return [Document(document.text) for document in islice(corpus().documents("dev"), _CANARIES)]


def write_canaries(recognizer: Recognizer, folder: Path) -> None:
    """Has the graph of a model folder answer the canaries, for its ``canaries.json``."""
    (folder / CANARIES).write_text(recognizer.canaries(canary_documents()).to_json(), encoding="utf-8")


def calibration_texts() -> list[str]:
    """Texts to measure activations on: of the bundled corpus, so that a graph built again is the same."""
    return [document.text for document in islice(corpus().documents("train"), _CALIBRATION)]


def _texts(dev: Sequence[Document], *, fill: bool) -> tuple[list[Document], int]:
    """Documents without annotations, those of dev first, and how many sentences they hold."""
    texts, sentences, entities = [], 0, 0
    for documents in (dev, _supply()) if fill else (dev,):
        for document in documents:
            if sentences >= SENTENCES:
                break
            texts.append(Document(document.text, words=document.words))
            sentences += len(sentences_of(document))
            entities += len(document.entities or ())
        if entities >= ENOUGH:
            break
    return texts, sentences


def _supply() -> Iterator[Document]:
    documents = [document for split in SPLITS for document in corpus().documents(split)]
    yield from documents
    # The corpus alone has fewer sentences than are asked for; by themselves they are new inputs to the model.
    for document in documents:
        for start, end in sentences_of(document):
            yield Document(document.text[start:end])
