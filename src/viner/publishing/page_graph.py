"""The graph that a web page carries: the model's own, or one built from its weights, as small as it gets without other answers.

A float32 graph keeps its matrices in 16 bits and turns them into 32 when it is loaded, which halves the download. What is
computed is float32 still, from weights that are rounded to 11 binary digits; int8 rounds them to 8, and all that is computed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viner.bundle import Bundle
from viner.bundle.info import CASCADE, GRAPHS, check_engine, graphs_of

if TYPE_CHECKING:
    from onnx import GraphProto

_SMALL = 1 << 12
"""Tensors with fewer numbers (biases, norms) save nothing, and stay as they are."""
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True)
class PageGraph:
    """A graph for a page.

    Args:
        path: The ONNX file.
        engine: "int8" or "fp32".
        halved: Whether a float32 graph keeps its matrices in 16 bits.
    """

    path: Path
    engine: str
    halved: bool = False


@contextmanager
def page_graph(model: str | Path, bundle: Bundle, engine: str | None = None) -> Iterator[PageGraph]:
    """The graph for a page, as long as the block lasts.

    Args:
        model: The model by the name that somebody gave.
        bundle: The same, found.
        engine: "int8" or "fp32"; None takes the one that the model chose, which is the one that ``viner.load`` runs;
            float32 where that is a cascade, as int8 alone would find less.

    Yields:
        The graph. Where onnx is not installed, a float32 graph is the model's own, with all 32 bits.

    Raises:
        UsageError: If the engine is unknown.
        MissingExtraError: If the model holds the other graph, and what builds this one is not installed.
        BundleError: If it is to be built, and the weights are not there.
    """
    wanted = engine or ("fp32" if bundle.info.engine == CASCADE else bundle.info.engine)
    check_engine(wanted, GRAPHS)
    path = bundle.graph_of(wanted) if wanted in graphs_of(bundle.info.engine) else _built(model, wanted)
    if wanted != "fp32" or not _has_onnx():
        yield PageGraph(path, wanted)
        return
    with tempfile.TemporaryDirectory(prefix="viner-graph-") as place:
        target = Path(place) / path.name
        halve(path, target)
        yield PageGraph(target, wanted, halved=True)


def _built(model: str | Path, engine: str) -> Path:
    from viner.workflow.rebuild import rebuild_graph

    return rebuild_graph(model, engine)


def _has_onnx() -> bool:
    from importlib.util import find_spec

    return find_spec("onnx") is not None


def halve(source: str | Path, target: str | Path) -> None:
    """Writes a float32 graph with its matrices in float16, each followed by its conversion back to float32.

    ONNX Runtime converts them once, when it loads the graph. A matrix with a number beyond float16 stays as it is; what is too
    small for it becomes zero, which is less than the matrix's other numbers are rounded by.

    Args:
        source: An ONNX file.
        target: The file to write.
    """
    import onnx

    model = onnx.load(source)
    _halve(model.graph)
    onnx.save(model, os.fspath(target))


def _halve(graph: GraphProto) -> None:
    from onnx import TensorProto, helper, numpy_helper

    conversions, kept = [], []
    for item in graph.initializer:
        numbers = numpy_helper.to_array(item)
        if not _can_be_halved(numbers):
            kept.append(item)
            continue
        kept.append(numpy_helper.from_array(numbers.astype(np.float16), f"{item.name}/half"))
        conversions.append(helper.make_node("Cast", [f"{item.name}/half"], [item.name], to=TensorProto.FLOAT))
    nodes = [*conversions, *graph.node]
    graph.ClearField("initializer")
    graph.initializer.extend(kept)
    graph.ClearField("node")
    graph.node.extend(nodes)


def _can_be_halved(numbers: Any) -> bool:
    return bool(
        numbers.dtype == np.float32 and numbers.ndim >= 2 and numbers.size >= _SMALL and np.abs(numbers).max() <= _LARGEST
    )
