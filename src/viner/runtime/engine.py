"""ONNX Runtime sessions that run as many batches side by side as there are cores, each in one thread.

Threads that share a batch wait for each other at every layer; batches beside each other do not. Each has a session of its own,
which is a few percent faster than sharing one, unless that would cost much memory: a session holds the weights once more,
220 MB of 560 for the bundled encoder in float32, and 40 MB in int8.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from viner.errors import BundleError, UsageError

SHARED_FROM = 100 << 20
"""Size of a graph in bytes from which on threads share one session."""
P = ParamSpec("P")
T = TypeVar("T")


class Engine:
    """Runs one graph. Safe to call from several threads at once.

    Args:
        graph: An ONNX file with the inputs ``input_ids`` and ``attention_mask``.
        output: Name of the output to ask for.
        threads: Batches side by side; None takes one for each core that this process may use.

    Raises:
        BundleError: If ONNX Runtime cannot load the graph, or it lacks the output.
        UsageError: If ``threads`` is less than 1.
    """

    def __init__(self, graph: str | Path, output: str, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be at least 1, not {threads}")
        self.threads = threads or _cores()
        self._graph = Path(graph)
        self._output = output
        first = self._open()
        large = self._graph.stat().st_size >= SHARED_FROM
        self._shared = first if large else None
        self._free: list[Any] = [] if large else [first]
        self._turns = threading.Semaphore(self.threads)
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Runs one batch in this thread.

        Args:
            ids: *Shape:* (batch, pieces). Vocabulary ids.
            mask: *Shape:* (batch, pieces). 1 for a piece, 0 for padding.

        Returns:
            Logits. *Shape:* (batch, pieces, tags). Rows of padding hold anything.
        """
        with self._turns:
            with self._lock:
                session = self._free.pop() if self._free else None
            session = session or self._shared or self._open()  # the second session is made when there is work for it
            try:
                logits: NDArray[np.float32] = session.run([self._output], {"input_ids": ids, "attention_mask": mask})[0]
            finally:
                if session is not self._shared:
                    with self._lock:
                        self._free.append(session)
        return logits

    def submit(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Calls a function that prepares, runs and digests a batch, in a thread of the engine.

        What waits to be computed, or for its turn to be used, is then no more than the arguments and the result.
        """
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="viner-engine")
        return self._pool.submit(work, *args, **options)

    def _open(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # A pattern is remembered for each shape of a batch, and there are thousands of shapes.
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(os.fspath(self._graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has a dozen unrelated exceptions for "cannot load"
            raise BundleError(
                f"ONNX Runtime cannot load the graph ({error})",
                where=self._graph,
                hint="Copy or download the model folder again",
            ) from error
        outputs = [item.name for item in session.get_outputs()]
        if self._output not in outputs:
            raise BundleError(f"the graph has no output {self._output!r}, only {', '.join(outputs)}", where=self._graph)
        return session


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1
