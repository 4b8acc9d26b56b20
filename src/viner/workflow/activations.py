"""What sample texts say of the activations that a graph's matrices are applied to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viner.workflow.graphs import ask, open_graph

if TYPE_CHECKING:
    from onnx import ModelProto

_Family = tuple[str, ...]
Sample = NDArray[np.int64]
"""*Shape:* (pieces,). A sequence of vocabulary ids with its special pieces."""
_HELD = 1 << 27
"""Numbers of moments that are held at a time (half a gigabyte); for more of them, the samples are run once more."""
_TOGETHER = 1_000
"""Pieces whose rows are measured together: a product of few rows waits for memory."""


class Activations:
    """Ranges and moments of the activations' channels, over sample texts.

    Activations that share a matrix, as those of all layers of an ALBERT do, count as one: a matrix has one int8 form.

    Args:
        model: The float32 graph.
        samples: The texts.
    """

    def __init__(self, model: ModelProto, samples: Sequence[Sample]) -> None:
        inputs = {item.name: item.dims[0] for item in model.graph.initializer if len(item.dims) == 2}
        products = [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in inputs]
        self._model = model
        self._samples = samples
        self._families = _families((node.input[0], node.input[1]) for node in products)
        self._family = {name: family for family in self._families for name in family}
        self._width = {self._family[node.input[0]]: inputs[node.input[1]] for node in products}
        self._ranges: dict[_Family, NDArray[np.float32]] = {}
        self._moments: dict[_Family, NDArray[np.float32]] = {}

    def alike(self, name: str) -> _Family:
        """The activations that share a matrix with this one, itself among them, in the order of the graph."""
        return self._family[name]

    def ranges(self, name: str) -> NDArray[np.float32]:
        """Largest magnitude of each channel. *Shape:* (inputs,)."""
        family = self._family[name]
        if family not in self._ranges:
            self._measure(family)
        return self._ranges[family]

    def moments(self, name: str) -> NDArray[np.float32]:
        """Sums of the products of each two channels. *Shape:* (inputs, inputs). Ask in the order of the graph."""
        family = self._family[name]
        if family not in self._moments:
            self._measure(family)
        return self._moments[family]

    def _measure(self, first: _Family) -> None:
        """Measures this family and those behind it in the graph, as many as may be held."""
        taken: list[_Family] = []
        numbers = 0
        for family in self._families[self._families.index(first) :]:
            numbers += self._width[family] ** 2
            if taken and numbers > _HELD:
                break
            taken.append(family)
        self._ranges |= {family: np.zeros(self._width[family], np.float32) for family in taken}
        self._moments = {family: np.zeros((self._width[family],) * 2, np.float32) for family in taken}
        for name, rows in self._rows([name for family in taken for name in family]):
            family = self._family[name]
            np.maximum(self._ranges[family], np.abs(rows).max(axis=0), out=self._ranges[family])
            self._moments[family] += rows.T @ rows

    def _rows(self, names: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """The rows of each activation, of some samples at a time. *Shape:* (pieces, inputs) each."""
        session = open_graph(self._model, names)
        waiting: list[list[NDArray[np.float32]]] = []
        pieces = 0
        for number, sample in enumerate(self._samples, 1):
            waiting.append(ask(session, sample[None], np.ones_like(sample[None]), np.arange(len(sample)), names))
            pieces += len(sample)
            if pieces >= _TOGETHER or number == len(self._samples):
                for name, answers in zip(names, zip(*waiting, strict=True), strict=True):
                    yield name, np.concatenate([answer.reshape(-1, answer.shape[-1]) for answer in answers])
                waiting, pieces = [], 0


def _families(products: Iterable[tuple[str, str]]) -> list[_Family]:
    """Activations that share a matrix, directly or through others, in the order of the graph.

    Args:
        products: Activation and matrix of each product.
    """
    found: list[tuple[dict[str, None], set[str]]] = []
    for activation, matrix in products:
        touched = [entry for entry in found if activation in entry[0] or matrix in entry[1]]
        names = dict.fromkeys([name for entry in touched for name in entry[0]] + [activation])
        matrices = {matrix}.union(*(entry[1] for entry in touched))
        if touched:
            found[found.index(touched[0])] = (names, matrices)
            found = [entry for entry in found if entry not in touched[1:]]
        else:
            found.append((names, matrices))
    return [tuple(names) for names, _ in found]
