"""ONNX graphs of any size in files: written, moved and copied whole.

Where the numbers of a graph do not fit into its file, they lie beside it (:mod:`viner.bundle.graph_files`), and the graph names
the file that they are in. So a graph gets another name by being told so.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from viner.bundle.graph_files import data_of, files_of
from viner.errors import MissingExtraError

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

INLINE = (1 << 31) - (16 << 20)
"""Bytes of numbers that fit into a graph's own file: protobuf ends at 2 GiB."""
SMALL = 1 << 10
"""Tensors of fewer bytes stay in the graph: shapes are worked out from what stands there."""


def save_graph(model: ModelProto, target: str | Path) -> None:
    """Writes a graph; it appears whole or not at all. The numbers of a large one go into the file beside it.

    Args:
        model: The graph; a large one is of no use afterwards.
        target: The ONNX file.
    """
    import onnx
    from onnx.external_data_helper import set_external_data

    target = Path(target)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as place:
        draft = Path(place) / target.name
        if is_large(model):
            for item in model.graph.initializer:
                if item.HasField("raw_data") and _bytes(item) >= SMALL:
                    set_external_data(item, data_of(target).name)
        onnx.save(model, draft)
        for file in files_of(draft):
            file.chmod(0o644)
        move_graph(draft, target)


def is_large(model: ModelProto) -> bool:
    """Whether the numbers of a graph need a file of their own."""
    return not fits(sum(map(_bytes, model.graph.initializer)))


def fits(size: int) -> bool:
    """Whether a graph's own file holds numbers of that many bytes."""
    return size < INLINE


def _bytes(item: TensorProto) -> int:
    """Bytes of a tensor's numbers, by its shape: to look at them is to copy them."""
    from onnx.helper import tensor_dtype_to_np_dtype

    return math.prod(item.dims) * int(tensor_dtype_to_np_dtype(item.data_type).itemsize)


def move_graph(source: Path, target: Path) -> None:
    """Gives a graph another place, and perhaps another name, on the same file system; what was there is replaced.

    Raises:
        MissingExtraError: If it is to be told its new name, and onnx is missing.
    """
    data = data_of(source)
    if data.is_file():
        if source.name != target.name:
            source.write_bytes(_renamed(source, data_of(target).name))
        data.replace(data_of(target))
        source.replace(target)
    else:
        source.replace(target)
        data_of(target).unlink(missing_ok=True)  # of a larger one that was there


def copy_graph(source: Path, target: Path) -> None:
    """Copies a graph, perhaps to another name.

    Raises:
        MissingExtraError: If the copy is to be told its name, and onnx is missing.
    """
    data = data_of(source)
    if data.is_file():
        shutil.copyfile(data, data_of(target))
        target.write_bytes(source.read_bytes() if source.name == target.name else _renamed(source, data_of(target).name))
    else:
        shutil.copyfile(source, target)


def remove_graph(graph: Path) -> None:
    """Removes a graph, numbers included."""
    for file in files_of(graph):
        file.unlink()


def _renamed(graph: Path, data: str) -> bytes:
    """A graph that says that its numbers lie in another file."""
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("renaming a graph of more than 2 GB", "train") from None
    model = onnx.load(graph, load_external_data=False)
    for item in model.graph.initializer:
        for entry in item.external_data:
            if entry.key == "location":
                entry.value = data
    content: bytes = model.SerializeToString()
    return content
