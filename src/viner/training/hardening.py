"""What a model is shown in training so that it finds the same entities in texts that were typed otherwise.

Only changes that keep the words what they are, one by one: the targets of the words stay right, and so do a teacher's vectors,
which a student then learns to give for the changed words as well.
"""

from __future__ import annotations

from random import Random

import numpy as np

from viner.corpus.perturb import in_lower_case, in_upper_case, with_telex, with_typos, without_diacritics
from viner.document import Document

_WITHOUT_DIACRITICS, _LOWER, _UPPER = 0.5, 0.65, 0.8
"""Upper ends of the shares; what is left is mistyped."""


def hardened(document: Document, rng: np.random.Generator) -> Document:
    """The document as somebody else would have typed it: half of the time without diacritics, else in one case or mistyped.

    Args:
        document: A text with its words; annotations are not needed.
        rng: Draws everything.

    Returns:
        A document with as many words.
    """
    draw = rng.random()
    if draw < _WITHOUT_DIACRITICS:
        return without_diacritics(document)
    if draw < _LOWER:
        return in_lower_case(document)
    if draw < _UPPER:
        return in_upper_case(document)
    slips = Random(int(rng.integers(2**63)))
    return with_telex(with_typos(document, slips), slips)
