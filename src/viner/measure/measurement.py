"""How far a model's recognition is from what the processor can do, and where the distance comes from."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from viner.bundle import Bundle, find_bundle, processor
from viner.bundle.info import CASCADE, graphs_of
from viner.document import Document, Span
from viner.encoding import PieceEncoder
from viner.errors import InputError
from viner.measure.ceilings import SHAPE, Ceiling, measure_ceilings
from viner.measure.latency import Latency, measure_latency, single_sentences
from viner.measure.operators import KINDS, Profile, profile_graph
from viner.measure.stages import STAGES, Staged, StagedRecognizer
from viner.runtime import Recognizer
from viner.runtime.provider import CUDA, ONNX_RUNTIME, open_engine
from viner.samples import SPLITS, corpus
from viner.text import words_of

MOST_DOCUMENTS, MOST_PIECES = 2048, 1 << 16
"""Of longer inputs, so much is measured: what is recognized together, and half a minute or so."""
ROUNDS = 3
REMAINDER = "waiting, and between the stages"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a piece's time goes to.

    Args:
        name: What.
        seconds: Of one core, for each piece.
        of_graph: Whether it is a part of the stage "graph".
    """

    name: str
    seconds: float
    of_graph: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured.

    Args:
        model: The model folder.
        engine: What ran, "int8", "fp32" or "cascade".
        arithmetic: In what its products were computed: "int8", "fp32" or "bf16".
        provider: What ran it, such as "onnxruntime".
        processor: Its name and the instruction sets that matter.
        cores: Cores that recognized.
        documents: How many texts were recognized.
        words: How many words they have.
        pieces: How many pieces, special ones not counted.
        pieces_per_s: Pieces a second of the whole, on all cores.
        padding: The share of what the graph computes that is padding.
        recomputed: The share of the pieces that a cascade computed in float32 as well, which counts in no share of a ceiling.
        ceilings: By arithmetic.
        profile: Where the graph's time goes.
        parts: Where a piece's time goes: what stands outside the graph, and the parts of the graph; together all of it.
        latency: A lone sentence.
    """

    model: str
    engine: str
    arithmetic: str
    provider: str
    processor: str
    cores: int
    documents: int
    words: int
    pieces: int
    pieces_per_s: float
    padding: float
    recomputed: float
    ceilings: Mapping[str, Ceiling]
    profile: Profile
    parts: tuple[Part, ...]
    latency: Latency

    def share_of(self, arithmetic: str) -> float:
        """The share of a ceiling that the products with weights come to."""
        return self.pieces_per_s * self.profile.operations_per_piece / self.ceilings[arithmetic].operations_per_s

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        total = self.cores / self.pieces_per_s
        return {
            "model": self.model,
            "engine": self.engine,
            "arithmetic": self.arithmetic,
            "provider": self.provider,
            "processor": self.processor,
            "cores": self.cores,
            "documents": self.documents,
            "words": self.words,
            "pieces": self.pieces,
            "shape": SHAPE,
            "operations_per_piece": self.profile.operations_per_piece,
            "ceilings": {
                name: {
                    "operations_per_s": ceiling.operations_per_s,
                    "pieces_per_s": ceiling.operations_per_s / self.profile.operations_per_piece,
                    "share": self.share_of(name),
                    "how": ceiling.how,
                }
                for name, ceiling in self.ceilings.items()
            },
            "pieces_per_s": self.pieces_per_s,
            "words_per_s": self.pieces_per_s * self.words / self.pieces,
            "padding_share": self.padding,
            **({"recomputed_share": self.recomputed} if self.engine == CASCADE else {}),
            "parts": [
                {
                    "name": part.name,
                    "of_graph": part.of_graph,
                    "seconds_per_piece": part.seconds,
                    "share": part.seconds / total,
                }
                for part in self.parts
            ],
            "operators": dict(self.profile.operators),
            "one_sentence_p50_ms": self.latency.p50,
            "one_sentence_p99_ms": self.latency.p99,
            "one_sentence_pieces": self.latency.pieces,
        }


def measure_model(
    model: str | Path,
    documents: Iterable[Document] | None = None,
    engine: str | None = None,
    provider: str | None = None,
    *,
    tell: Callable[[str], None] = lambda step: None,
) -> Measurement:
    """Measures a model on this machine. Nothing else should run meanwhile.

    Args:
        model: A model folder, a project or a Hub id.
        documents: Texts; None takes the bundled corpus. Of many, the first :data:`MOST_DOCUMENTS` or :data:`MOST_PIECES`.
        engine: "int8", "fp32" or "cascade"; None takes the one that the model chose.
        provider: "onnxruntime", "openvino" or "cuda"; None takes ``VINER_PROVIDER``, else ONNX Runtime on the processor.
        tell: Called with what is measured next.

    Raises:
        InputError: If the texts have no word; what :meth:`viner.runtime.Recognizer.load` raises, too.
    """
    recognizer = Recognizer.load(model, engine, provider=provider)
    bundle = find_bundle(model, weights=False)
    info, graph = bundle.info, graph_of(bundle, recognizer.engine)
    encoder = PieceEncoder.from_folder(bundle.path, views=info.views, max_pieces=info.windows.pieces)
    texts = list(_sample(_bundled_texts() if documents is None else documents, encoder))
    singles = single_sentences(encoder, texts)
    if not singles:
        raise InputError("the texts have no word", hint="Give some with --texts, or none to take the bundled corpus")
    exact = bundle.graph_of("fp32") if recognizer.engine == CASCADE else None
    running = open_engine(
        recognizer.provider,
        graph,
        info.heads[0].layer,
        kind=recognizer.engine,
        longest=encoder.max_pieces,
        exact=exact,
    )
    tell("what the processor can do")
    ceilings = measure_ceilings(running.threads)
    arithmetic = running.arithmetic or recognizer.engine
    tell("stage by stage")
    staged = _warm_stages(StagedRecognizer(info, encoder, running), texts)
    tell("operator by operator")
    profile = profile_graph(graph, staged.batches)
    tell("recognition as a whole")
    speed = statistics.median(staged.pieces / _seconds(recognizer, texts) for _ in range(ROUNDS))
    tell("one sentence at a time")
    latency = measure_latency(recognizer, encoder, singles)
    return Measurement(
        model=str(bundle.path),
        engine=recognizer.engine,
        arithmetic=arithmetic,
        provider=recognizer.provider,
        processor=processor(),
        cores=running.threads,
        documents=len(texts),
        words=staged.words,
        pieces=staged.pieces,
        pieces_per_s=speed,
        padding=staged.padding,
        recomputed=recognizer.recomputed,
        ceilings=ceilings,
        profile=profile,
        # On a GPU the processor only waits, so that what it could compute says nothing of where the time goes.
        parts=tuple(
            _parts(
                recognizer,
                staged,
                profile,
                None if recognizer.provider == CUDA else ceilings.get(arithmetic),
                running.threads,
                speed,
            )
        ),
        latency=latency,
    )


def graph_of(bundle: Bundle, engine: str) -> Path:
    """Where the graph of an engine lies, of a cascade the one that runs first: in the model folder, or in viner's cache."""
    return bundle.graph_of(graphs_of(engine)[0])


def _bundled_texts() -> Iterator[Document]:
    for split in SPLITS:
        yield from corpus().documents(split)


def _sample(documents: Iterable[Document], encoder: PieceEncoder) -> Iterator[Document]:
    """The first documents, without annotations."""
    pieces = 0
    for document in islice(documents, MOST_DOCUMENTS):
        words = words_of(document)
        offsets = encoder.encode(document.text, words).offsets
        room, pieces = MOST_PIECES - pieces, pieces + int(offsets[-1])
        if pieces > MOST_PIECES:
            kept = max(1, int(np.searchsorted(offsets, room, side="right")) - 1)
            yield _beginning(document, words[:kept])
            return
        yield document.bare()
        if pieces == MOST_PIECES:
            return


def _beginning(document: Document, words: Sequence[Span]) -> Document:
    """A document that ends with some of its words, without annotations."""
    return Document(document.text[: words[-1][1]], id=document.id, words=None if document.words is None else words)


def _warm_stages(recognizer: StagedRecognizer, texts: list[Document]) -> Staged:
    """The second of two runs, the first over some of the texts: ONNX Runtime allocates, and the tokenizer meets its words."""
    recognizer(texts[:: max(1, len(texts) // 200)])
    return recognizer(texts)


def _seconds(recognizer: Recognizer, texts: list[Document]) -> float:
    began = time.perf_counter()
    for _ in recognizer.stream(texts):
        pass
    return time.perf_counter() - began


def _parts(
    recognizer: Recognizer, staged: Staged, profile: Profile, ceiling: Ceiling | None, cores: int, speed: float
) -> Iterator[Part]:
    costs = {stage: staged.seconds[stage] / staged.pieces for stage in STAGES}
    for stage, seconds in costs.items():
        if stage != "graph":
            yield Part(stage, seconds)
            continue
        least, computing = 0.0, seconds * (1 - staged.padding)
        if ceiling is not None:  # bf16 is not measured without torch
            least = cores * profile.operations_per_piece / ceiling.operations_per_s
            yield Part("products at the ceiling's rate", least, True)
        if recognizer.provider == ONNX_RUNTIME and recognizer.engine != CASCADE:
            yield Part("products beyond that", computing * profile.kinds["products"] - least, True)
            for kind in KINDS[1:]:
                yield Part(kind, computing * profile.kinds[kind], True)
        else:  # the profile is ONNX Runtime's and of one graph, and says nothing about others
            yield Part("everything else", computing - least, True)
        if staged.padding:
            yield Part("padding", seconds * staged.padding, True)
    yield Part(REMAINDER, cores / speed - sum(costs.values()))
