"""The perturbations by their names, for those that try a model on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from viner.corpus.perturb import forms
from viner.corpus.perturb.joining import joined
from viner.corpus.perturb.names import with_new_names
from viner.corpus.perturb.ocr import as_scanned
from viner.corpus.perturb.stops import without_final_stop
from viner.corpus.perturb.surfaces import Surfaces
from viner.corpus.perturb.telex import with_telex
from viner.corpus.perturb.typos import with_typos
from viner.document import Document
from viner.errors import UsageError

Source = Callable[[], Iterable[Document]]
"""Gives the documents from the first one on, as often as it is called."""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A change that leaves the meaning of documents, and so their entities, as it is.

    Args:
        name: Names it, on the command line as well.
        title: What it does, in a few words.
        stream: Gives the changed documents, in constant memory, with exact offsets. It gets the documents, which are annotated,
            and the seed of all that it draws.
    """

    name: str
    title: str
    stream: Callable[[Source, int], Iterator[Document]]


def perturbations(names: Iterable[str]) -> tuple[Perturbation, ...]:
    """The perturbations of these names, in the order in which ``viner evaluate --help`` lists them.

    Raises:
        UsageError: If there is none of a name.
    """
    wanted = list(names)
    known = [perturbation.name for perturbation in PERTURBATIONS]
    for name in wanted:
        if name not in known:
            raise UsageError(f"no perturbation {name!r}", hint=f"There are: {', '.join(known)}")
    return tuple(perturbation for perturbation in PERTURBATIONS if perturbation.name in wanted)


def _form(name: str, title: str, change: Callable[[Document], Document]) -> Perturbation:
    return Perturbation(name, title, lambda source, seed: map(change, source()))


def _drawn(name: str, title: str, change: Callable[[Document, Random], Document]) -> Perturbation:
    def stream(source: Source, seed: int) -> Iterator[Document]:
        return (change(document, rng) for document, rng in zip(source(), _draws(name, seed), strict=False))

    return Perturbation(name, title, stream)


def _draws(name: str, seed: int) -> Iterator[Random]:
    """One source of random numbers a document, so that what is drawn for it does not depend on the one before it."""
    index = 0
    while True:
        yield Random(f"{name} {seed} {index}")
        index += 1


def _exchanged(source: Source, seed: int) -> Iterator[Document]:
    surfaces = Surfaces(source(), Random(f"surfaces {seed}"))
    for document, rng in zip(source(), _draws("exchanged", seed), strict=False):
        yield surfaces.exchanged(document, rng)


PERTURBATIONS = (
    _form("no-diacritics", "Ha Noi for Hà Nội", forms.without_diacritics),
    _form("tone-style", "hoà for hòa, hòa for hoà", forms.in_other_tone_style),
    _form("nfd", "letters and marks apart (NFD)", forms.decomposed),
    _form("lower", "all in lower case", forms.in_lower_case),
    _form("upper", "ALL IN UPPER CASE", forms.in_upper_case),
    _drawn("typos", "slips of the finger, 1 word in 10", with_typos),
    _drawn("telex", "nguwowif for người, 1 word in 10", with_telex),
    _drawn("ocr", "misread as by a scanner, 1 word in 10", as_scanned),
    _form("no-stop", "no full stop at the end", without_final_stop),
    _drawn("new-names", "made-up people and places", with_new_names),
    Perturbation("exchanged", "entities exchanged within each label", _exchanged),
    Perturbation("joined", "20 neighbors as one document", lambda source, seed: joined(source())),
)
"""All perturbations, in the order in which they are shown."""
