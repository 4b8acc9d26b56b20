"""A matrix product as an ONNX graph, written without the onnx package, which the base install does not have.

ONNX is a protocol buffer: each field is a key (number and kind of the field) and a value. Two kinds are enough here: whole
numbers, and lengths followed by as many bytes. The numbers of the fields are those of ``onnx.proto``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

# TensorProto.DataType
_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6}
_OPSET, _IR_VERSION = 13, 7


def product_graph(
    operator: str, rows: int, weights: NDArray[np.generic], *, left: str, result: str, zero: int | None = None
) -> bytes:
    """A graph ``y = x @ weights`` with one operator and constant weights.

    Args:
        operator: "MatMul" or "MatMulInteger".
        rows: Rows of ``x``.
        weights: *Shape:* (inputs, outputs).
        left: The NumPy type of ``x``.
        result: The NumPy type of ``y``.
        zero: Zero point of ``x``, for MatMulInteger.

    Returns:
        The model as ONNX Runtime reads it. Its input is ``x``, *shape:* (rows, inputs).
    """
    inputs, outputs = weights.shape
    constants: dict[str, NDArray[np.generic]] = {"weights": weights}
    if zero is not None:
        constants["zero"] = np.array(zero, dtype=left)
    node = b"".join(_text(1, name) for name in ("x", *constants)) + _text(2, "y") + _text(4, operator)
    graph = _bytes(1, node) + _text(2, "product") + _initializers(constants)
    graph += _bytes(11, _value("x", left, (rows, inputs))) + _bytes(12, _value("y", result, (rows, outputs)))
    return _number(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, _OPSET))


@cache
def products_overflow() -> bool:
    """Whether ONNX Runtime's products of u8 and s8 overflow here: x86 without VNNI adds two of them in 16 bits.

    One such product tells, in a few milliseconds.
    """
    import onnxruntime

    inputs, most = 64, 127
    graph = product_graph("MatMulInteger", 16, np.full((inputs, 32), most, dtype=np.int8), left="uint8", result="int32", zero=0)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (product,) = session.run(None, {"x": np.full((16, inputs), 255, dtype=np.uint8)})
    return not bool((product == 255 * most * inputs).all())


def _initializers(constants: Mapping[str, NDArray[np.generic]]) -> bytes:
    tensors = []
    for name, value in constants.items():
        dimensions = b"".join(_number(1, size) for size in value.shape)
        tensors.append(dimensions + _number(2, _TYPES[value.dtype.name]) + _text(8, name) + _bytes(9, value.tobytes()))
    return b"".join(_bytes(5, tensor) for tensor in tensors)


def _value(name: str, kind: str, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(_bytes(1, _number(1, size)) for size in shape)
    tensor = _number(1, _TYPES[kind]) + _bytes(2, dimensions)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have their highest bit set."""
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
