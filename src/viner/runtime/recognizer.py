"""From text to a document with entities: the one path of recognition, for one text or millions."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viner.bundle import Bundle, BundleInfo, find_bundle, processor, rebuilt_graph
from viner.document import Document, Entity
from viner.encoding import BioDecoder, EncodedText, PieceEncoder, Window, WordSpan, plan_windows
from viner.errors import BundleError, UsageError
from viner.runtime.batches import BUDGET, pad, plan_batches
from viner.runtime.engine import Engine
from viner.schema import ENTITIES, Schema
from viner.text import split_words

CHUNK_DOCUMENTS = 2048
CHUNK_PIECES = 1 << 16
"""Documents are sorted into batches by chunks: as many as it takes to reach either number. Two chunks are in memory at once."""
TOLERANCE = 0.02
"""Share of the canaries' entities that may differ on another processor. Attention is computed in float32, whose last bit
depends on the processor and can move an entity at the edge; products that saturate move them by the dozen."""

_log = logging.getLogger("viner")


class Recognizer:
    """A trained model that turns text into a document. Safe to call from several threads at once.

    Most callers want :meth:`load`.

    Args:
        info: What the model says about itself.
        encoder: Its tokenizer, limited to the windows that ``info`` asks for.
        engine: Its graph.
        budget: Pieces in a batch, padding included.

    Attributes:
        info: What the model says about itself.
        engine: The graph that runs, "int8" or "fp32"; another than ``info.engine`` if it was asked for or fallen back to.
    """

    def __init__(self, info: BundleInfo, encoder: PieceEncoder, engine: Engine, *, budget: int = BUDGET) -> None:
        self.info = info
        self.engine = info.engine
        self._encoder = encoder
        self._engine = engine
        self._budget = budget
        self._decoder = BioDecoder(info.heads[0].labels)
        self._temperature = np.float32(info.calibration.get("temperature", 1.0))
        self._overlap = min(info.windows.overlap, encoder.capacity - 1)
        self._prefix = np.array(encoder.prefix, dtype=np.int64)
        self._suffix = np.array(encoder.suffix, dtype=np.int64)

    @classmethod
    def load(cls, path: str | Path, engine: str | None = None, threads: int | None = None) -> Recognizer:
        """Loads a model.

        On a processor other than the one that exported the model, int8 first answers the canaries; if it does not give the
        expected entities, float32 takes over, and a warning says so.

        Args:
            path: A model folder or a project; an existing path wins, else a Hub id ``user/name[@revision]``.
            engine: "int8" or "fp32"; None takes the one that the model chose.
            threads: Batches computed side by side; None takes one for each core.

        Raises:
            BundleError: If it is no model folder, incomplete, damaged or of a later version, or the engine's graph is missing.
            UsageError: If the engine is unknown.
        """
        bundle = find_bundle(path, weights=False)
        wanted = engine or bundle.info.engine
        if wanted not in ("int8", "fp32"):
            raise UsageError(f"unknown engine {wanted!r}", hint="Engines: int8, fp32")
        recognizer = cls._open(bundle, wanted, threads)
        if wanted != "int8":
            return recognizer
        problem = recognizer._disagreement(bundle)
        if problem is None:
            return recognizer
        try:
            fallback = cls._open(bundle, "fp32", threads)
        except BundleError as error:
            _log.warning("%s: %s. There is no float32 graph to fall back to: %s", bundle.path, problem, error.hint)
            return recognizer
        _log.warning("%s: %s. Recognizing in float32 instead, which is slower", bundle.path, problem)
        return fallback

    @classmethod
    def _open(cls, bundle: Bundle, engine: str, threads: int | None) -> Recognizer:
        graph = bundle.graph
        if engine != bundle.info.engine:
            graph = rebuilt_graph(bundle.info, engine)
            if not graph.is_file():
                raise BundleError(
                    f"the model holds its {bundle.info.engine} graph only",
                    where=bundle.path,
                    hint=f"Build the {engine} graph once: pip install 'viner[train]' && python -m viner.workflow.rebuild"
                    f" {bundle.path} {engine}",
                )
        recognizer = cls.from_graph(bundle.info, bundle.path, graph, threads=threads)
        recognizer.engine = engine
        return recognizer

    @classmethod
    def from_graph(cls, info: BundleInfo, folder: Path, graph: Path, *, threads: int | None = None) -> Recognizer:
        """A recognizer of a graph that is not part of a finished model folder, to compare graphs with each other.

        Args:
            info: What the model says about itself.
            folder: Where its ``config.json`` and tokenizer are.
            graph: The ONNX file.
            threads: Batches computed side by side; None takes one for each core.
        """
        encoder = PieceEncoder.from_folder(folder, views=info.views, max_pieces=info.windows.pieces)
        return cls(info, encoder, Engine(graph, info.heads[0].layer, threads))

    def _disagreement(self, bundle: Bundle) -> str | None:
        canaries = bundle.canaries()
        if canaries.processor == processor():
            return None
        expected, found = set[tuple[int, Entity]](), set[tuple[int, Entity]]()
        for index, (asked, answer) in enumerate(zip(canaries.documents, self.stream(canaries.documents), strict=True)):
            expected.update((index, Entity(e.start, e.end, e.label)) for e in asked.entities or ())
            found.update((index, Entity(e.start, e.end, e.label)) for e in answer.entities or ())
        if len(expected ^ found) <= TOLERANCE * max(1, len(expected | found)):
            return None
        return (
            f"on this processor, int8 finds {len(expected & found)} of the {len(expected)} entities that the model's test"
            f" texts should have, and {len(found - expected)} others"
        )

    @property
    def schema(self) -> Schema:
        """The layers that the model answers."""
        return self.info.schema

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the entity types."""
        return self.info.schema[ENTITIES].names

    def __call__(self, item: str | Document) -> Document:
        """Recognizes one text; see :meth:`stream`."""
        return next(self.stream([item]))

    def stream(self, items: Iterable[str | Document]) -> Iterator[Document]:
        """Recognizes many texts, in constant memory.

        Args:
            items: Texts or documents. Of a document, ``words`` are used if it has them; its annotations are not looked at.

        Yields:
            For each item in order a document with ``words`` and ``entities``, each entity with a ``score`` and the source
            "model"; ``id`` and ``meta`` are the input's. The answer does not depend on the items around it.

        Raises:
            InputError: If a text holds a lone surrogate.
        """
        source = iter(items)
        running: deque[_Chunk] = deque()
        try:
            # While the engine computes a chunk, this thread cuts the next one into pieces.
            while chunk := self._next_chunk(source):
                self._start(chunk)
                running.append(chunk)
                if len(running) > 1:
                    yield from self._finish(running.popleft())
            while running:
                yield from self._finish(running.popleft())
        finally:
            for chunk in running:
                for result in chunk.results:
                    result.cancel()

    def _next_chunk(self, source: Iterator[str | Document]) -> _Chunk | None:
        chunk = _Chunk()
        pieces = 0
        for item in islice(source, CHUNK_DOCUMENTS):
            document = item if isinstance(item, Document) else Document(item)
            words = document.words if document.words is not None else split_words(document.text)
            encoded = self._encoder.encode(document.text, words)
            chunk.documents.append(document)
            chunk.encoded.append(encoded)
            for window in plan_windows(encoded.offsets, self._encoder.capacity, self._overlap):
                chunk.windows.append((len(chunk.documents) - 1, window))
            pieces += len(encoded.pieces)
            if pieces >= CHUNK_PIECES:
                break
        return chunk if chunk.documents else None

    def _start(self, chunk: _Chunk) -> None:
        specials = len(self._prefix) + len(self._suffix)
        lengths = []
        for owner, window in chunk.windows:
            offsets = chunk.encoded[owner].offsets
            lengths.append(int(offsets[window.last] - offsets[window.first]) + specials)
        chunk.batches = plan_batches(lengths, self._budget)
        alone = len(chunk.batches) == 1
        for batch in chunk.batches:
            ids, mask = pad([self._pieces(chunk, index) for index in batch], self._encoder.pad)
            if alone:  # a short text is answered sooner without changing threads
                result: Future[NDArray[np.float32]] = Future()
                result.set_result(self._engine.run(ids, mask))
            else:
                result = self._engine.submit(ids, mask)
            chunk.results.append(result)

    def _pieces(self, chunk: _Chunk, index: int) -> NDArray[np.int64]:
        owner, window = chunk.windows[index]
        encoded = chunk.encoded[owner]
        inner = encoded.pieces[encoded.offsets[window.first] : encoded.offsets[window.last]]
        return np.concatenate([self._prefix, inner, self._suffix])

    def _finish(self, chunk: _Chunk) -> Iterator[Document]:
        """Collects one emission a word, from the window that keeps the word, and decodes every document once."""
        tags = len(self.info.heads[0].tags)
        emissions = [np.empty((len(encoded.words), tags), dtype=np.float32) for encoded in chunk.encoded]
        for batch, result in zip(chunk.batches, chunk.results, strict=True):
            logits = result.result()
            for row, index in enumerate(batch):
                owner, window = chunk.windows[index]
                offsets = chunk.encoded[owner].offsets
                kept = slice(window.keep_first, window.keep_last)
                emissions[owner][kept] = logits[row, offsets[kept] - offsets[window.first] + len(self._prefix)]
        if self._temperature != 1:
            emissions = [logits / self._temperature for logits in emissions]
        for document, encoded, spans in zip(chunk.documents, chunk.encoded, self._decoder.decode_batch(emissions), strict=True):
            yield _answer(document, encoded, spans)


@dataclass(slots=True)
class _Chunk:
    """Documents whose windows are sorted into batches together."""

    documents: list[Document] = field(default_factory=list)
    encoded: list[EncodedText] = field(default_factory=list)
    windows: list[tuple[int, Window]] = field(default_factory=list)
    batches: list[list[int]] = field(default_factory=list)
    results: list[Future[NDArray[np.float32]]] = field(default_factory=list)


def _answer(document: Document, encoded: EncodedText, spans: Sequence[WordSpan]) -> Document:
    words = encoded.words
    entities = [
        Entity(words[span.first][0], words[span.last - 1][1], span.label, score=round(span.score, 4), source="model")
        for span in spans
    ]
    return Document(document.text, id=document.id, meta=document.meta, words=words, entities=entities)
