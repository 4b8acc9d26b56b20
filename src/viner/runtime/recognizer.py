"""From text to a document with entities: the one path of recognition, for one text or millions."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viner.bundle import Bundle, BundleInfo, Canaries, find_bundle, processor
from viner.bundle.info import CASCADE, check_engine, graphs_of
from viner.document import Document, Span
from viner.encoding import (
    BioDecoder,
    PieceEncoder,
    check_least_score,
    class_probabilities,
    plan_windows,
    side_by_side,
)
from viner.errors import BundleError, UsageError
from viner.metrics.calibration import Calibration
from viner.runtime.canaries import disagreement
from viner.runtime.cascade import CascadeEngine
from viner.runtime.chunk import Chunk, answered, places, refuse
from viner.runtime.engine import Engine
from viner.runtime.product import products_overflow
from viner.runtime.provider import CUDA, ONNX_RUNTIME, OPENVINO, choose_provider, open_engine
from viner.schema import ENTITIES, Schema
from viner.text import segment_words, words_of

CHUNK_DOCUMENTS = 2048
CHUNK_PIECES = 1 << 16
"""Documents are sorted into batches by chunks: as many as it takes to reach either number. Two chunks are in memory at once."""
_FEW_BATCHES = 8
"""So many batches, all that is asked for, gain nothing from threads that others keep busy."""
CANARY_LOGITS = 20
CANARY_WORDS = 64
"""Logits are kept of the first words of the first canaries."""

Unanswered = Callable[[Document, Sequence[Span]], None]

_log = logging.getLogger("viner")


class Recognizer:
    """A trained model that turns text into a document. Safe to call from several threads at once.

    Most callers want :meth:`load`.

    Args:
        info: What the model says about itself.
        encoder: Its tokenizer, limited to the windows that ``info`` asks for.
        engine: Its graph.
        budget: Pieces in a batch, padding included; None takes what suits the engine.

    Attributes:
        info: What the model says about itself.
        engine: What runs, "int8", "fp32" or "cascade"; another than ``info.engine`` if it was asked for or fallen back to.
        provider: What runs it, such as "onnxruntime"; another than was asked for if it was fallen back to.
        least_score: Entities with a lower score are left out, whatever the model says; None leaves that to the model.
    """

    def __init__(self, info: BundleInfo, encoder: PieceEncoder, engine: Engine, *, budget: int | None = None) -> None:
        self.info = info
        self.engine = info.engine
        self.provider = ONNX_RUNTIME
        self.least_score: float | None = None
        self._encoder = encoder
        self._engine = engine
        self._budget = budget
        self._decode_anew()
        self._segmenter = None if info.segmenter is None else info.segmenter.open()
        self._overlap = min(info.windows.overlap, encoder.capacity - 1)
        self._nothing = np.zeros(len(info.heads[0].tags), dtype=np.float32)
        self._nothing[1:] = -100  # "O", beyond doubt

    @classmethod
    def load(
        cls, path: str | Path, engine: str | None = None, threads: int | None = None, provider: str | None = None
    ) -> Recognizer:
        """Loads a model.

        The canaries are answered first by int8 on another processor than the one that exported the model, and by OpenVINO
        anywhere. Where the answers are not the expected ones, float32 (or ONNX Runtime) takes over, and a warning says so; so
        does ONNX Runtime where the processor lacks what OpenVINO's int8 needs.

        Args:
            path: A model folder or a project; an existing path wins, else a Hub id ``user/name[@revision]``.
            engine: "int8", "fp32", or "cascade", which runs int8, and float32 where that is unsure; None takes the one that the
                model chose. With "cuda" float32 runs by default, and in the place of a cascade, as with "openvino".
            threads: Batches computed side by side; None takes one for each core.
            provider: "onnxruntime", "openvino" or "cuda"; None takes ``VINER_PROVIDER``, else ONNX Runtime on the processor.

        Raises:
            BundleError: If it is no model folder, incomplete, damaged or of a later version, or the engine's graph is missing.
            MissingExtraError: If the provider, or the segmenter whose segments the model reads, is not installed.
            UsageError: If engine or provider are unknown.
        """
        provider = choose_provider(provider)
        bundle = find_bundle(path, weights=False)
        wanted = engine or ("fp32" if provider == CUDA else bundle.info.engine)
        check_engine(wanted)
        if wanted == CASCADE and provider != ONNX_RUNTIME:
            wanted = "fp32"
        if provider == OPENVINO and wanted == "int8" and products_overflow():
            _log.warning(
                "%s: this processor lacks VNNI, without which OpenVINO is slower in int8, and its answers depend on the batch."
                " Recognizing with ONNX Runtime instead",
                bundle.path,
            )
            provider = ONNX_RUNTIME
        recognizer = cls._open(bundle, wanted, threads, provider)
        if wanted == "fp32" and provider != OPENVINO:
            return recognizer
        problem = disagreement(recognizer, bundle)
        if problem is None:
            return recognizer
        if provider != ONNX_RUNTIME:
            _log.warning("%s: with %s, %s. Recognizing with ONNX Runtime instead", bundle.path, provider, problem)
            return cls.load(path, engine, threads, ONNX_RUNTIME)
        try:
            fallback = cls._open(bundle, "fp32", threads, provider)
        except BundleError as error:
            _log.warning("%s: %s. There is no float32 graph to fall back to: %s", bundle.path, problem, error.hint)
            return recognizer
        _log.warning("%s: %s. Recognizing in float32 instead, which is slower", bundle.path, problem)
        return fallback

    @classmethod
    def _open(cls, bundle: Bundle, engine: str, threads: int | None, provider: str) -> Recognizer:
        graphs = {kind: bundle.graph_of(kind) for kind in graphs_of(engine)}
        for kind, graph in graphs.items():
            if not graph.is_file():
                raise BundleError(
                    f"the model holds its {bundle.info.engine} graph only",
                    where=bundle.path,
                    hint=f"Build the {kind} graph once: pip install 'viner[train]' && python -m viner.workflow.rebuild"
                    f" {bundle.path} {kind}",
                )
        first, *others = graphs.values()
        recognizer = cls.from_graph(
            bundle.info,
            bundle.path,
            first,
            threads=threads,
            engine=engine,
            provider=provider,
            exact=others[0] if others else None,
        )
        recognizer.engine = engine
        return recognizer

    @classmethod
    def from_graph(
        cls,
        info: BundleInfo,
        folder: Path,
        graph: Path,
        *,
        threads: int | None = None,
        engine: str | None = None,
        provider: str = ONNX_RUNTIME,
        exact: Path | None = None,
    ) -> Recognizer:
        """A recognizer of a graph that is not part of a finished model folder, to compare graphs with each other.

        Args:
            info: What the model says about itself.
            folder: Where its ``config.json`` and tokenizer are.
            graph: The ONNX file.
            threads: Batches computed side by side; None takes one for each core.
            engine: What kind of graph it is, "int8" or "fp32", or "cascade"; None takes what ``info`` says.
            provider: What runs it.
            exact: For a cascade: the float32 graph, where ``graph`` is that of int8.
        """
        encoder = PieceEncoder.from_folder(folder, views=info.views, max_pieces=info.windows.pieces)
        kind = engine or info.engine
        running = open_engine(provider, graph, info.heads[0].layer, threads, kind=kind, longest=encoder.max_pieces, exact=exact)
        recognizer = cls(info, encoder, running)
        recognizer.provider = provider
        return recognizer

    def calibrated_by(self, calibration: Calibration | None) -> Recognizer:
        """The same model, on the same engine, with another calibration of its scores.

        Args:
            calibration: None leaves scores as the model estimates them.
        """
        other = copy(self)
        other.info = replace(self.info, calibration=calibration)
        other._decode_anew()
        return other

    def with_least_score(self, score: float | None) -> Recognizer:
        """The same model, on the same engine, which leaves out other entities.

        Args:
            score: Entities with a lower score are left out; 0 gives all that the model finds, however unsure it is of them.
                None leaves out those that the model was trained to leave out.

        Raises:
            UsageError: If it is not in [0, 1].
        """
        check_least_score(score)
        other = copy(self)
        other.least_score = score
        other._decode_anew()
        return other

    def _decode_anew(self) -> None:
        """Takes the decoder that the model, and what was asked for, call for."""
        labels, calibration = self.info.heads[0].labels, self.info.calibration
        if self.least_score is not None:
            self._decoder = BioDecoder(labels, calibration, least_score=self.least_score)
        else:
            self._decoder = BioDecoder(labels, calibration, least_estimate=self.info.least_estimate)
        self._engine = self._engine.judged_by(self._decoder.at_border)

    @property
    def schema(self) -> Schema:
        """The layers that the model answers."""
        return self.info.schema

    @property
    def recomputed(self) -> float:
        """The share of all pieces so far that a cascade computed in float32 as well; 0 without one."""
        engine = self._engine
        return engine.recomputed / max(engine.computed, 1) if isinstance(engine, CascadeEngine) else 0.0

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the entity types."""
        return self.info.schema[ENTITIES].names

    def __call__(self, item: str | Document) -> Document:
        """Recognizes one text; see :meth:`stream`."""
        return next(self.stream([item]))

    def stream(self, items: Iterable[str | Document], *, unanswered: Unanswered | None = None) -> Iterator[Document]:
        """Recognizes many texts, in constant memory.

        Args:
            items: Texts or documents. Of a document, ``words`` are used if it has them; its annotations are not looked at.
            unanswered: Called with a document and the spans of those of its words that no window answered, right before the
                document is yielded, to count what should never be. None makes them an error.

        Yields:
            For each item in order a document with ``words`` and ``entities``, each entity with a ``score`` and the source
            "model"; ``id`` and ``meta`` are the input's. The answer does not depend on the items around it.

        Raises:
            InputError: If a text holds a lone surrogate. As with any error of ``items``, what came before is yielded first.
            BundleError: If the model answers with something that is no number (NaN).
            RuntimeError: If words were not answered, which is a defect of the windows.
        """
        with closing(self._answered(items)) as chunks:
            for chunk in chunks:
                gaps = chunk.gaps()
                if unanswered is None:
                    refuse(gaps)
                for index, document in enumerate(self._decoded(chunk)):
                    if unanswered is not None and index in gaps:
                        unanswered(document, gaps[index])
                    yield document

    def judged(self, items: Iterable[str | Document]) -> Iterator[tuple[Document, float]]:
        """Recognizes many texts and says how unsure of each the model is, in constant memory.

        Args:
            items: As for :meth:`stream`.

        Yields:
            For each item in order what :meth:`stream` would answer, and its uncertainty in [0, 1], which does not grow with
            length: 1 − exp(mean over the words of log p of the decoded tag), see
            ``BioDecoder.judge_batch`` in ``viner.encoding``.

        Raises:
            InputError: As :meth:`stream` does.
            BundleError: As :meth:`stream` does.
            RuntimeError: As :meth:`stream` does.
        """
        with closing(self._answered(items)) as chunks:
            for chunk in chunks:
                refuse(chunk.gaps())
                judged = self._decoder.judge_batch(chunk.emissions)
                for document, words, encoded, (spans, uncertainty) in zip(
                    chunk.documents, chunk.words, chunk.encoded, judged, strict=True
                ):
                    yield answered(document, words, encoded, spans), uncertainty

    def probabilities(self, items: Iterable[str | Document]) -> Iterator[tuple[Document, NDArray[np.float32]]]:
        """Recognizes many texts and says of each word how probable it is in an entity of each type, in constant memory.

        Args:
            items: As for :meth:`stream`.

        Yields:
            For each item in order what :meth:`stream` would answer, and the probabilities, not calibrated, see
            ``class_probabilities`` in ``viner.encoding``. *Shape:* (words, 1 + labels).

        Raises:
            InputError: As :meth:`stream` does.
            BundleError: As :meth:`stream` does.
            RuntimeError: As :meth:`stream` does.
        """
        with closing(self._answered(items)) as chunks:
            for chunk in chunks:
                refuse(chunk.gaps())
                for document, encoded, emissions in zip(self._decoded(chunk), chunk.encoded, chunk.emissions, strict=True):
                    yield document, class_probabilities(emissions)[places(document.words or (), encoded.words)]

    def canaries(self, items: Iterable[str | Document]) -> Canaries:
        """Answers texts in the form in which another processor's answers can be compared with these."""
        documents: list[Document] = []
        logits: list[NDArray[np.float32]] = []
        for chunk in self._answered(items):
            logits += [emissions[:CANARY_WORDS] for emissions in chunk.emissions][: CANARY_LOGITS - len(logits)]
            documents += self._decoded(chunk)
        return Canaries(processor(), documents, logits)

    def _answered(self, items: Iterable[str | Document]) -> Generator[Chunk, None, None]:
        """Chunks in order, with all their emissions."""
        if isinstance(items, str):
            raise UsageError("these are several texts or documents, not one string", hint="Give a list: [text]")
        source = iter(items)
        running: deque[Chunk] = deque()
        try:
            # While the engine computes a chunk, this thread cuts the next one into pieces.
            trouble = None
            while trouble is None and (chunk := self._next_chunk(source)):
                trouble = chunk.trouble
                if not chunk.documents:
                    break
                self._start(chunk)
                running.append(chunk)
                if len(running) > 1:
                    yield self._finish(running.popleft())
            chunk = None
            while running:
                yield self._finish(running.popleft())
            if trouble is not None:
                raise trouble
        finally:
            for chunk in running:
                chunk.give_up()

    def _next_chunk(self, source: Iterator[str | Document]) -> Chunk | None:
        chunk = Chunk()
        pieces = 0
        while len(chunk.documents) < CHUNK_DOCUMENTS:
            try:
                item = next(source)
                document = item if isinstance(item, Document) else Document(item)
                words = words_of(document)
                read = words if self._segmenter is None else segment_words(document.text, words, self._segmenter)
                encoded = self._encoder.encode(document.text, read)
            except StopIteration:
                break
            except Exception as error:
                chunk.trouble = error
                break
            chunk.documents.append(document)
            chunk.words.append(words)
            chunk.encoded.append(encoded)
            for window in plan_windows(encoded.offsets, self._encoder.capacity, self._overlap):
                chunk.windows.append((len(chunk.documents) - 1, window))
            pieces += len(encoded.pieces)
            if pieces >= CHUNK_PIECES:
                break
        return chunk if chunk.documents or chunk.trouble else None

    def _start(self, chunk: Chunk) -> None:
        tags = len(self.info.heads[0].tags)
        chunk.emissions = [np.full((len(encoded.words), tags), np.nan, dtype=np.float32) for encoded in chunk.encoded]
        lengths = np.zeros(len(chunk.windows), dtype=np.int64)
        for index, (owner, window) in enumerate(chunk.windows):
            offsets = chunk.encoded[owner].offsets
            lengths[index] = offsets[window.last] - offsets[window.first] + self._encoder.max_pieces - self._encoder.capacity
        batches = list(self._engine.batches(lengths, self._budget))
        if len(batches) == 1:  # a short text is answered sooner without changing threads
            self._answer(chunk, batches[0], lone=True)
        elif len(batches) <= _FEW_BATCHES and self._engine.busy:
            # So are a few, where other callers keep the engine's threads at work.
            for batch in batches:
                self._answer(chunk, batch)
        else:
            chunk.results = [self._engine.submit(self._answer, chunk, batch) for batch in batches]

    def _answer(self, chunk: Chunk, batch: NDArray[np.int64], *, lone: bool = False) -> None:
        """Runs some windows of a chunk. Of their logits, it keeps the first piece's of each word that the window answers."""
        windows = [chunk.windows[index] for index in batch]
        sequences = []
        for owner, window in windows:
            encoded = chunk.encoded[owner]
            sequences.append(encoded.pieces[encoded.offsets[window.first] : encoded.offsets[window.last]])
        ids, mask = side_by_side(sequences, self._encoder)
        first = [
            chunk.encoded[owner].offsets[window.keep_first : window.keep_last].astype(np.int64)
            + (row * ids.shape[1] + len(self._encoder.prefix) - chunk.encoded[owner].offsets[window.first])
            for row, (owner, window) in enumerate(windows)
        ]
        logits = self._engine.run(ids, mask, np.concatenate(first), lone=lone)
        if np.isnan(logits).any():
            raise BundleError("the model answers with something that is no number (NaN)", hint="Train it again")
        begin = 0
        for owner, window in windows:
            end = begin + window.keep_last - window.keep_first
            chunk.emissions[owner][window.keep_first : window.keep_last] = logits[begin:end]
            begin = end

    def _finish(self, chunk: Chunk) -> Chunk:
        try:
            for result in chunk.results:
                result.result()
        except BaseException:
            chunk.give_up()  # or an interrupt would wait for a long document's other windows
            raise
        return chunk

    def _decoded(self, chunk: Chunk) -> Iterator[Document]:
        """Decodes every document once, as a whole. A word without an answer is no entity."""
        for emissions in chunk.emissions:
            emissions[np.isnan(emissions[:, 0])] = self._nothing
        spans = self._decoder.decode_batch(chunk.emissions)
        return map(answered, chunk.documents, chunk.words, chunk.encoded, spans)
