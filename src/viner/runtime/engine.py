"""What runs a graph: batches side by side, each in one thread, and one text alone as fast as it goes.

Threads that share a batch wait for each other at every layer; batches beside each other do not. So an engine runs as many
batches at once as there are cores.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from viner.bundle.graph_files import size_of
from viner.encoding import BATCH_SCORES, FIRST_PIECES, PACKED, cut_by_budget, cut_by_pieces
from viner.errors import BundleError, UsageError
from viner.runtime.product import products_overflow

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

SHARED_FROM = 100 << 20
"""Size of a graph in bytes from which on threads share one session."""
CUDA_INSTALL = "pip install 'onnxruntime-gpu[cuda,cudnn]'"
"""ONNX Runtime for NVIDIA GPUs, with the libraries that it loads; it takes onnxruntime's place."""
P = ParamSpec("P")
T = TypeVar("T")
AtBorder = Callable[[NDArray[np.float32], NDArray[np.int64], float], NDArray[np.bool_]]
"""``at_border`` of a ``BioDecoder`` (:mod:`viner.encoding`): of which sequences slightly different logits would leave out
another entity, or let one in. It is given the logits (words and tags), where each sequence begins, and how different."""


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _begin_anew() -> None:
    """In a forked process: threads stay behind, and a lock that one of them held would never open."""
    for engine in list(_engines):
        engine.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


class Engine(ABC):
    """Runs one graph. Safe to call from several threads at once, and in a process that was forked (not so with OpenVINO).

    Args:
        threads: Batches side by side; None takes one for each core that this process may use.

    Raises:
        UsageError: If ``threads`` is less than 1.
    """

    budget = 256
    """Pieces in a batch, padding included where it is computed. More does not run faster on a processor: the activations leave
    its cache."""

    packed = False
    """Whether padding is computed in attention only, so that it hardly counts."""

    arithmetic: str | None = None
    """In what the products are computed, such as "bf16", where it is not what the graph says."""

    def __init__(self, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be at least 1, not {threads}")
        self.threads = threads or cores()
        self._begin()
        _engines.add(self)

    def _begin(self) -> None:
        """Without a thread and with nothing at work: as it is made, and again in a process that was forked."""
        self._turns = threading.Semaphore(self.threads)
        self._running = 0
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def begin_anew(self) -> None:
        """Goes on in a process that was forked, in which no thread but the one that forked it is there."""
        self._begin()

    @property
    def busy(self) -> bool:
        """Whether some thread runs a batch right now."""
        return self._running > 0

    @abstractmethod
    def _run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64], first: NDArray[np.int64], *, alone: bool
    ) -> NDArray[np.float32]:
        """Runs one batch; at most ``threads`` calls at once. The other threads have nothing to do if it is ``alone``."""

    def run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64], first: NDArray[np.int64], *, lone: bool = False
    ) -> NDArray[np.float32]:
        """Runs one batch in this thread.

        Args:
            ids: *Shape:* (batch, pieces). Vocabulary ids.
            mask: *Shape:* (batch, pieces). 1 for a piece, 0 for padding.
            first: *Shape:* (words,). Indices into the flattened batch: the pieces that are answered.
            lone: Nothing comes right behind it, so that it may have all cores unless another thread runs something.

        Returns:
            Logits. *Shape:* (words, tags).
        """
        with self._turns:
            with self._lock:
                self._running += 1
                alone = lone and self._running == 1 and self.threads > 1
            try:
                return self._run(ids, mask, first, alone=alone)
            finally:
                with self._lock:
                    self._running -= 1

    def batches(self, lengths: NDArray[np.int64], budget: int | None = None) -> Iterator[NDArray[np.int64]]:
        """Cuts sequences into batches, the longest first, so that no thread ends with the longest batch alone.

        Args:
            lengths: *Shape:* (sequences,). Pieces of each, special pieces included.
            budget: Pieces in a batch, padding included; None takes the engine's own.

        Yields:
            Indices of the sequences of a batch.
        """
        yield from cut_by_budget(np.argsort(-lengths, kind="stable"), lengths, budget or self.budget)

    def judged_by(self, at_border: AtBorder) -> Engine:
        """An engine whose answers are decoded in a certain way, for those to whom that matters; the same for all others."""
        return self

    def submit(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Calls a function that prepares, runs and digests a batch, in a thread of the engine.

        What waits to be computed, or for its turn to be used, is then no more than the arguments and the result.
        """
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="viner-engine")
        return self._pool.submit(work, *args, **options)


class OnnxEngine(Engine):
    """ONNX Runtime, on the processor or on an NVIDIA GPU.

    On the processor each thread has a session of its own, which is a few percent faster than sharing one, unless that would
    cost much memory: a session holds the weights once more, for the bundled encoder 220 MB in float32 and 40 MB in int8.

    Args:
        graph: An ONNX file with the inputs ``input_ids`` and ``attention_mask``, and perhaps ``first_pieces``.
        output: Name of the output to ask for.
        threads: Batches side by side; None takes one for each core that this process may use.
        cuda: Run on the GPU, all batches in one session.

    Raises:
        BundleError: If ONNX Runtime cannot load the graph, or it lacks the output.
        UsageError: If ``threads`` is less than 1, or ONNX Runtime cannot compute on the GPU.
    """

    def __init__(self, graph: str | Path, output: str, threads: int | None = None, *, cuda: bool = False) -> None:
        super().__init__(threads)
        self._cuda = cuda
        if cuda:
            self.budget = 16_384
        self._graph = Path(graph)
        self._output = output
        first = self._open()
        shared = cuda or size_of(self._graph) >= SHARED_FROM
        self._picks = FIRST_PIECES in [item.name for item in first.get_inputs()]
        self.packed = is_packed(first)
        self._shared = first if shared else None
        self._free: list[Any] = [] if shared else [first]

    def batches(self, lengths: NDArray[np.int64], budget: int | None = None) -> Iterator[NDArray[np.int64]]:
        """Cuts sequences into batches, the longest first; see :class:`Engine`. None counts where none is computed."""
        order = np.argsort(-lengths, kind="stable")
        if self.packed:
            # What takes larger batches computes as many more scores in the time that one takes by itself.
            scores = BATCH_SCORES * self.budget // Engine.budget
            yield from cut_by_pieces(order, lengths, budget or self.budget, scores)
        else:
            yield from cut_by_budget(order, lengths, budget or self.budget)

    def _run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64], first: NDArray[np.int64], *, alone: bool
    ) -> NDArray[np.float32]:
        with self._lock:
            session = self._free.pop() if self._free else None
        session = session or self._shared or self._open()  # the second session is made when there is work for it
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self._picks:
            inputs[FIRST_PIECES] = first
        try:
            logits: NDArray[np.float32] = session.run([self._output], inputs)[0]
        finally:
            if session is not self._shared:
                with self._lock:
                    self._free.append(session)
        return logits if self._picks else logits.reshape(-1, logits.shape[-1])[first]

    def _open(self) -> Any:
        import onnxruntime

        options = session_options()
        if self._cuda and hasattr(onnxruntime, "preload_dlls"):
            with suppress(Exception):  # what is missing shows below
                onnxruntime.preload_dlls()
        providers = ["CUDAExecutionProvider", "CPUExecutionProvider"] if self._cuda else ["CPUExecutionProvider"]
        try:
            session = onnxruntime.InferenceSession(os.fspath(self._graph), options, providers=providers)
        except Exception as error:  # ONNX Runtime has a dozen unrelated exceptions for "cannot load"
            raise BundleError(
                f"ONNX Runtime cannot load the graph ({error})",
                where=self._graph,
                hint="Copy or download the model folder again",
            ) from error
        if self._cuda and "CUDAExecutionProvider" not in session.get_providers():
            # It only says so on stderr, and goes on with the processor.
            raise UsageError(
                "ONNX Runtime cannot compute on the GPU: CUDA's libraries or the driver are missing, or of another version",
                hint=f"Install them: {CUDA_INSTALL}",
            )
        outputs = [item.name for item in session.get_outputs()]
        if self._output not in outputs:
            raise BundleError(f"the graph has no output {self._output!r}, only {', '.join(outputs)}", where=self._graph)
        return session


def is_packed(session: InferenceSession) -> bool:
    """Whether a graph computes padding in attention only (:mod:`viner.workflow.packing`)."""
    return PACKED in session.get_modelmeta().custom_metadata_map


def session_options(threads: int = 1) -> SessionOptions:
    """How viner has ONNX Runtime compute, wherever it recognizes or measures.

    Args:
        threads: Threads that share one product.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A pattern is remembered for each shape of a batch, and there are thousands of shapes.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    if products_overflow():
        # The matrices become u8, whose products are added in 32 bits: exact, and still faster than float32. Not where those of
        # u8 and s8 are exact, which are 2.5 times as fast.
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def cores() -> int:
    """Cores that this process may use: those that it may run on, and no more than the quota of its container or service."""
    try:
        there = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        there = os.cpu_count() or 1
    return max(1, math.ceil(min(there, _quota())))


def _quota(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """Processors that control groups give this process; infinite without a limit."""
    least = math.inf
    with suppress(OSError, ValueError):
        for line in own.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            top = root if not controllers else root / "cpu"
            place = top / path.lstrip("/")
            for folder in (place, *place.parents):  # within a container, its own group is the top
                least = min(least, _limit(folder))
                if folder == top:
                    break
    return least


def _limit(group: Path) -> float:
    """The limit of one control group, of either version."""
    with suppress(OSError, ValueError):
        quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        return math.inf if quota == "max" else int(quota) / int(period)
    with suppress(OSError, ValueError):
        quota, period = ((group / f"cpu.cfs_{name}_us").read_text(encoding="utf-8") for name in ("quota", "period"))
        return math.inf if int(quota) <= 0 else int(quota) / int(period)
    return math.inf
