"""Perturbations: the same document as others would have written, typed or scanned it, with exact offsets.

Pure functions from an annotated document to an annotated one; what is drawn comes from a seed. Evaluation tries a model on
them, training hardens it with some of them.
"""

from viner.corpus.perturb.forms import decomposed, in_lower_case, in_other_tone_style, in_upper_case, without_diacritics
from viner.corpus.perturb.joining import joined
from viner.corpus.perturb.names import with_new_names
from viner.corpus.perturb.ocr import as_scanned
from viner.corpus.perturb.perturbation import PERTURBATIONS, Perturbation, Source, perturbations
from viner.corpus.perturb.rewriting import Edit, Rewriting
from viner.corpus.perturb.stops import without_final_stop
from viner.corpus.perturb.surfaces import Surfaces
from viner.corpus.perturb.telex import with_telex
from viner.corpus.perturb.typos import with_typos

__all__ = [
    "PERTURBATIONS",
    "Edit",
    "Perturbation",
    "Rewriting",
    "Source",
    "Surfaces",
    "as_scanned",
    "decomposed",
    "in_lower_case",
    "in_other_tone_style",
    "in_upper_case",
    "joined",
    "perturbations",
    "with_new_names",
    "with_telex",
    "with_typos",
    "without_diacritics",
    "without_final_stop",
]
