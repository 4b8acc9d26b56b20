"""int8 where it is sure, float32 where it is not: two graphs of one model that answer together.

int8 moves logits a little. That hardly ever changes what is decoded but where two tags of a word are about as likely, or where
an entity is hardly likely enough not to be left out. So only sequences in which something is like that are computed a second
time, in float32: a cascade (Viola and Jones 2001, "Rapid Object Detection using a Boosted Cascade of Simple Features"; for a
cheap and an exact version of one network, Park et al. 2015, "Big/Little Deep Neural Network for Ultra Low Power Inference").
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from viner.runtime.engine import AtBorder, Engine

MARGIN = 0.5
"""A word is unsure where the logits of its two likeliest tags are nearer than this. int8 moves a logit by 0.03 to 0.04 (the
standard deviation on three data sets), a difference of two by a tenth of that margin."""
BORDER = 0.2
"""An entity is unsure where its log-odds are nearer than this to those of the least likely that is not left out. They are made
of a mean over tags, which int8 moves by less than a single one."""


class CascadeEngine(Engine):
    """Runs every batch on one engine, and its unsure sequences again on another one.

    What is computed again depends on a sequence alone, not on the batch around it.

    Args:
        quick: Runs all.
        exact: Runs what the other is unsure of.
        at_border: Says in which sequences an entity is nearly left out, or nearly let in; None where none ever is.

    Attributes:
        computed: Pieces that were computed, padding not counted.
        recomputed: Those of them that were computed a second time.
    """

    arithmetic = "int8"

    def __init__(self, quick: Engine, exact: Engine, at_border: AtBorder | None = None) -> None:
        super().__init__(quick.threads)
        self._quick, self._exact, self._at_border = quick, exact, at_border
        self.budget, self.packed = quick.budget, quick.packed
        self.computed = self.recomputed = 0
        self._counting = threading.Lock()

    def batches(self, lengths: NDArray[np.int64], budget: int | None = None) -> Iterator[NDArray[np.int64]]:
        """Cuts sequences into batches as the quick engine likes them."""
        yield from self._quick.batches(lengths, budget)

    def judged_by(self, at_border: AtBorder) -> CascadeEngine:
        """A cascade of the same two engines, which looks at what is left out as well."""
        return CascadeEngine(self._quick, self._exact, at_border)

    @property
    def busy(self) -> bool:
        """Whether some thread runs a batch right now, be it on another cascade of the same engines."""
        return super().busy or self._quick.busy or self._exact.busy

    def _run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64], first: NDArray[np.int64], *, alone: bool
    ) -> NDArray[np.float32]:
        logits = self._quick.run(ids, mask, first, lone=alone)
        rows = first // ids.shape[1]
        unsure = self._unsure(logits, rows)
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

    def _unsure(self, logits: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of a batch that are computed again, in ascending order, from the row of each word."""
        words = ~(_margins(logits) >= MARGIN)  # what is no number is not sure, either
        if self._at_border is not None:
            begins = np.flatnonzero(np.diff(rows, prepend=-1))
            words[begins[self._at_border(logits, begins, BORDER)]] = True
        return np.unique(rows[words])


def _margins(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the likeliest tag of each word is before the second one. *Shape:* (words, tags) → (words,)."""
    best = np.partition(logits, logits.shape[1] - 2, axis=1)
    with np.errstate(invalid="ignore"):
        margins: NDArray[np.float32] = best[:, -1] - best[:, -2]
    return margins
