"""What the model in service has wrong in the done documents of a split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from viner.document import Document
from viner.evaluation.analysis import ErrorAnalysis
from viner.store import Filter, Store
from viner.store.values import Split


class Answers(Protocol):
    """What recognizes: :class:`viner.studio.ServingRecognizer`."""

    def stream(self, texts: Iterable[str | Document], /) -> Iterator[Document]:
        """The documents of many texts, in input order."""
        ...


def find_errors(store: Store, recognizer: Answers, split: Split) -> ErrorAnalysis:
    """Compares the done documents of a split with what is recognized in them, rules included.

    Args:
        store: The documents.
        recognizer: What recognizes; it is given texts and words, never annotations.
        split: Which documents.

    Raises:
        NoModelError: If there is no model.
    """
    # Read before anything is recognized, so that nobody waits for a reader that takes minutes.
    documents = list(store.export(Filter(splits=(split,), statuses=("done",))))
    questions = (document.bare() for document in documents)
    analysis = ErrorAnalysis()
    for document, answer in zip(documents, recognizer.stream(questions), strict=True):
        analysis.observe(document, answer)
    return analysis
