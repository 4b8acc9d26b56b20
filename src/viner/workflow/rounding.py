"""A matrix to integers, each number rounded with regard to what the numbers before it left over.

Rounding to the nearest step is best for each weight by itself. A product sums over many, and inputs move together, so the error
of one weight can be made up for by others of its column: the weights of an input are rounded, and what that changes in the
outputs is taken out of the weights of inputs that are not rounded yet, as far as these move alike (GPTQ, Frantar et al., 2023;
the closed form is that of Optimal Brain Surgeon, Hassibi and Stork, 1993).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_DAMPING = 0.01
"""Added to the moments' diagonal, of its mean, so that inputs which never moved alike in the samples are not relied on."""
_BLOCK = 128
"""Inputs whose errors are passed on one by one; to all behind them they go together."""


class Compensation:
    """How an error in the weights of one input is made up for by those of others.

    Args:
        moments: Sums of the products of each two inputs over sample texts. *Shape:* (inputs, inputs).
    """

    def __init__(self, moments: NDArray[np.floating]) -> None:
        # Inputs that matter most are rounded first, as long as many are left to make up for them.
        self._order = np.argsort(-moments.diagonal(), kind="stable")
        ordered = moments[np.ix_(self._order, self._order)].astype(np.float64)
        self._passed = _upper_factor(ordered)

    def rounded(self, matrix: NDArray[np.float32], scales: NDArray[np.float32], most: int = 127) -> NDArray[np.int8]:
        """The matrix in steps of its columns' scales.

        Args:
            matrix: *Shape:* (inputs, outputs).
            scales: Step of each column. *Shape:* (1, outputs).
            most: Largest magnitude of a number in steps.
        """
        left = matrix[self._order] / scales
        steps = np.empty_like(left)
        count = len(left)
        for begin in range(0, count, _BLOCK):
            end = min(begin + _BLOCK, count)
            block, passed = left[begin:end], self._passed[begin:end]
            errors = np.empty_like(block)
            for row in range(end - begin):
                steps[begin + row] = np.clip(np.rint(block[row]), -most, most)
                errors[row] = (block[row] - steps[begin + row]) / passed[row, begin + row]
                block[row + 1 :] -= np.outer(passed[row, begin + row + 1 : end], errors[row])
            left[end:] -= passed[:, end:].T @ errors
        integers = np.empty(matrix.shape, dtype=np.int8)
        integers[self._order] = steps
        return integers


def _upper_factor(moments: NDArray[np.float64]) -> NDArray[np.float32]:
    """The upper triangle U of (M + damping)⁻¹ = Uᵀ U. *Shape:* (inputs, inputs), both."""
    unit = max(float(moments.diagonal().mean()), float(np.finfo(np.float32).tiny))
    damping = _DAMPING
    while True:
        damped = moments + damping * unit * np.eye(len(moments))
        try:
            # Backwards, so that M = V Vᵀ with an upper triangle V, whose inverse it is.
            upper = np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1]
        except np.linalg.LinAlgError:  # sums of a few texts, in float32, need not be positive definite
            damping *= 10
            continue
        return np.triu(np.linalg.inv(upper.astype(np.float32)))
