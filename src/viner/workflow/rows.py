"""Which operators treat each row of their input by itself, whatever stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

_ALIKE = {"Add", "Sub", "Mul", "Div", "Pow"}
_ALONE = {"Gelu", "Erf", "Tanh", "Relu", "Sigmoid", "Cast", "Identity"}


def is_by_row(node: NodeProto, constants: Mapping[str, TensorProto]) -> bool:
    """Whether each row of a node's output depends on the same row of the inputs, and on constants, alone.

    Args:
        node: The node.
        constants: The graph's initializers by name.
    """
    constant = [item in constants for item in node.input]
    if node.op_type == "MatMul":
        return constant == [False, True] and len(constants[node.input[1]].dims) == 2
    if node.op_type == "LayerNormalization":
        axes = [attribute.i for attribute in node.attribute if attribute.name == "axis"]
        return axes in ([], [-1]) and not constant[0] and all(constant[1:])
    if node.op_type in _ALIKE:
        flat = all(len(constants[item].dims) <= 1 for item in node.input if item in constants)
        return flat and not all(constant)
    return node.op_type in _ALONE
