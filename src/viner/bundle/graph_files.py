"""The files of an ONNX graph: one, or a second one for its numbers where they do not fit into one.

Protobuf, of which ONNX files are made, ends at 2 GiB. A larger graph keeps its numbers in a file of the same name and ``.data``
beside it, which it names itself, so renaming a graph takes more than renaming its files (:mod:`viner.training.graph_file`).
"""

from __future__ import annotations

from pathlib import Path


def data_of(graph: Path) -> Path:
    """Where the numbers of a graph lie if they are not in it."""
    return graph.with_name(f"{graph.name}.data")


def files_of(graph: Path) -> tuple[Path, ...]:
    """The files of a graph: itself, and its numbers if they lie beside it."""
    data = data_of(graph)
    return (graph, data) if data.is_file() else (graph,)


def size_of(graph: Path) -> int:
    """Bytes of a graph, numbers included."""
    return sum(file.stat().st_size for file in files_of(graph))
