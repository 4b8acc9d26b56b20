"""Robustness: how much of its F1 a recognizer keeps when the same documents are written otherwise."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from viner.corpus.perturb import PERTURBATIONS, Perturbation, Source
from viner.document import Document
from viner.evaluation.evaluate import Evaluable, Observer, evaluate_model
from viner.evaluation.stress_report import Stress, StressReport


def stress_model(
    recognizer: Evaluable,
    source: Source,
    perturbations: Iterable[Perturbation] | None = None,
    *,
    seed: int = 1,
    where: str | Path | None = None,
    tell: Callable[[str], None] = lambda name: None,
    observe: Observer | None = None,
) -> StressReport:
    """Scores a recognizer on annotated documents as they are, then on each perturbation of them.

    It takes as little memory as one evaluation.

    Args:
        recognizer: What is evaluated.
        source: Gives the documents from the first one on, each time that it is called. Documents that are not annotated are
            left out.
        perturbations: What is tried; None tries all.
        seed: Of everything that perturbations draw: the same seed gives the same documents.
        where: The file that the documents come from, for messages.
        tell: Called with the name of each perturbation before it is tried.
        observe: Is shown the documents as they are, see :func:`viner.evaluation.evaluate_model`; not their perturbations.

    Raises:
        InputError: As :func:`viner.evaluation.evaluate_model` does.
    """
    clean = evaluate_model(recognizer, source(), where=where, observe=observe)

    def annotated() -> Iterator[Document]:
        return (document for document in source() if document.entities is not None)

    outcomes = []
    for perturbation in PERTURBATIONS if perturbations is None else perturbations:
        tell(perturbation.name)
        changes = _Changes(annotated(), perturbation.stream(annotated, seed))
        evaluation = evaluate_model(recognizer, changes, where=where)
        # Not the whole evaluation, which holds a few numbers for each document.
        outcomes.append(
            Stress(
                perturbation.name,
                perturbation.title,
                changes.count,
                evaluation.documents,
                evaluation.scores,
                evaluation.truncated_entities,
                evaluation.cut_entities,
            )
        )
    return StressReport(clean, tuple(outcomes))


class _Changes:
    """Passes perturbed documents through and counts those with another text than the one in their place has."""

    def __init__(self, before: Iterable[Document], after: Iterable[Document]) -> None:
        self._before, self._after = before, after
        self.count = 0

    def __iter__(self) -> Iterator[Document]:
        text: str | None = None
        before = (document.text for document in self._before)
        for after in self._after:
            text = after.text
            self.count += next(before, None) != text
            yield after
        # Where documents are joined there are fewer of them, and one that was left over is the last one as it was.
        self.count -= text in deque(before, maxlen=1)
