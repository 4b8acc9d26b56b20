"""ONNX graphs in the making: looked into, and run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viner.encoding import FIRST_PIECES
from viner.training.graph_file import is_large, save_graph

if TYPE_CHECKING:
    from onnx import ModelProto
    from onnxruntime import InferenceSession


def open_graph(model: ModelProto, names: Sequence[str] = ()) -> InferenceSession:
    """A session of a graph that stands in no file.

    Args:
        model: The graph.
        names: Tensors within it that are asked for as well.
    """
    import onnxruntime
    from onnx import ModelProto as Model
    from onnx import ValueInfoProto

    large = is_large(model)
    if names or large:  # a large one is of no use once it is written
        probe = Model()
        probe.CopyFrom(model)
        present = {item.name for item in probe.graph.output}
        probe.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in present)
        model = probe
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not large:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    with tempfile.TemporaryDirectory(prefix="viner-graph-", ignore_cleanup_errors=True) as place:
        file = Path(place) / "graph.onnx"
        save_graph(model, file)
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def ask(
    session: InferenceSession,
    ids: NDArray[np.int64],
    mask: NDArray[np.int64],
    first: NDArray[np.int64],
    names: Sequence[str] | None = None,
) -> list[NDArray[np.float32]]:
    """Runs a batch through a graph, whichever inputs it has.

    Args:
        session: The graph.
        ids: *Shape:* (batch, pieces). Vocabulary ids.
        mask: *Shape:* (batch, pieces). 1 for a piece, 0 for padding.
        first: *Shape:* (words,). Indices into the flattened batch, for a graph that answers at first pieces only.
        names: Tensors to ask for; None takes the graph's outputs.

    Returns:
        One array for each name.
    """
    inputs = {"input_ids": ids, "attention_mask": mask, FIRST_PIECES: first}
    answers: list[NDArray[np.float32]] = session.run(names, {item.name: inputs[item.name] for item in session.get_inputs()})
    return answers
