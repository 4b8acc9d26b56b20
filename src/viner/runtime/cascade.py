"""int8 where it is sure, float32 where it is not: two graphs of one model that answer together.

int8 moves logits a little. That hardly ever changes what is decoded but where two tags of a word are about as likely, so only
sequences in which some word is like that are computed a second time, in float32: a cascade (Viola and Jones 2001, "Rapid Object
Detection using a Boosted Cascade of Simple Features"; for a cheap and an exact version of one network, Park et al. 2015,
"Big/Little Deep Neural Network for Ultra Low Power Inference").
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from viner.runtime.engine import Engine

MARGIN = 0.5
"""A word is unsure where the logits of its two likeliest tags are nearer than this. int8 moves a logit by 0.03 to 0.04 (the
standard deviation on three data sets), a difference of two by a tenth of that margin."""


class CascadeEngine(Engine):
    """Runs every batch on one engine, and its unsure sequences again on another one.

    What is computed again depends on a sequence alone, not on the batch around it.

    Args:
        quick: Runs all.
        exact: Runs what the other is unsure of.

    Attributes:
        computed: Pieces that were computed, padding not counted.
        recomputed: Those of them that were computed a second time.
    """

    arithmetic = "int8"

    def __init__(self, quick: Engine, exact: Engine) -> None:
        super().__init__(quick.threads)
        self._quick, self._exact = quick, exact
        self.budget, self.packed = quick.budget, quick.packed
        self.computed = self.recomputed = 0
        self._counting = threading.Lock()

    def batches(self, lengths: NDArray[np.int64], budget: int | None = None) -> Iterator[NDArray[np.int64]]:
        """Cuts sequences into batches as the quick engine likes them."""
        yield from self._quick.batches(lengths, budget)

    def _run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64], first: NDArray[np.int64], *, alone: bool
    ) -> NDArray[np.float32]:
        logits = self._quick.run(ids, mask, first, lone=alone)
        rows = first // ids.shape[1]
        unsure = np.unique(rows[~(_margins(logits) >= MARGIN)])  # what is no number is not sure, either
        lengths = mask[unsure].sum(axis=1)
        with self._counting:
            self.computed += int(mask.sum())
            self.recomputed += int(lengths.sum())
        if not len(unsure):
            return logits
        width = int(lengths.max())
        again = np.isin(rows, unsure)
        asked = np.searchsorted(unsure, rows[again]) * width + first[again] % ids.shape[1]
        logits[again] = self._exact.run(ids[unsure, :width], mask[unsure, :width], asked, lone=alone)
        return logits


def _margins(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the likeliest tag of each word is before the second one. *Shape:* (words, tags) → (words,)."""
    best = np.partition(logits, logits.shape[1] - 2, axis=1)
    with np.errstate(invalid="ignore"):
        margins: NDArray[np.float32] = best[:, -1] - best[:, -2]
    return margins
