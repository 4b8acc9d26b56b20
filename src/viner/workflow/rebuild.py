"""Builds the graph that a model folder does not hold, from its weights, into viner's cache.

Most folders hold one graph. Another processor, or a comparison, may want the other one::

    python -m viner.workflow.rebuild models/003 fp32
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from viner.bundle import Bundle, find_bundle
from viner.bundle.info import GRAPHS, check_engine
from viner.encoding import PieceEncoder
from viner.errors import MissingExtraError, VinerError
from viner.training.graph_file import move_graph
from viner.workflow.choose import calibration_texts


def rebuild_graph(path: str | Path, engine: str) -> Path:
    """Builds a graph of a model; the recognizer finds it by itself from then on.

    Args:
        path: A model folder, a project or a Hub id.
        engine: "fp32" or "int8".

    Returns:
        The ONNX file. It is not built again if it is there.

    Raises:
        BundleError: If it is no model folder, or is incomplete.
        MissingExtraError: If torch, transformers or onnx is missing.
    """
    check_engine(engine, GRAPHS)
    bundle = find_bundle(path)
    target = bundle.graph_of(engine)
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        move_graph(build_graph(bundle, engine, Path(scratch) / target.name), target)
    return target


def build_graph(bundle: Bundle, engine: str, graph: Path) -> Path:
    """Builds a graph of a model from its weights.

    Args:
        bundle: The model folder, with its weights.
        engine: "fp32" or "int8".
        graph: The ONNX file to write.

    Returns:
        ``graph``.

    Raises:
        MissingExtraError: If torch, transformers or onnx is missing.
    """
    try:
        import torch
        from transformers import AutoModelForTokenClassification

        from viner.training.export import export_onnx
        from viner.training.model import quiet
        from viner.workflow.packing import pack_file
        from viner.workflow.quantize import quantize_rows, sample_texts
    except ImportError:
        raise MissingExtraError("building a graph", "train") from None
    with quiet():
        model = AutoModelForTokenClassification.from_pretrained(bundle.path, dtype=torch.float32, use_safetensors=True)
    export_onnx(model, graph, bundle.info.heads[0].layer)
    if engine == "int8":
        encoder = PieceEncoder.from_folder(bundle.path, views=bundle.info.views, max_pieces=bundle.info.windows.pieces)
        quantize_rows(graph, graph, sample_texts(encoder, calibration_texts(), bundle.info.segmenter), compact=True)
    else:
        pack_file(graph)
    return graph


def main() -> int:
    """The command line: MODEL ENGINE."""
    if len(sys.argv) != 3:
        print("usage: python -m viner.workflow.rebuild MODEL int8|fp32", file=sys.stderr)
        return 2
    try:
        print(rebuild_graph(sys.argv[1], sys.argv[2]))
    except VinerError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
