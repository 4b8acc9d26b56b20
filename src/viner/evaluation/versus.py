"""Two recognizers on the same documents: what the second one repairs, and what it breaks, sentence by sentence."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path
from typing import Any, Literal, get_args

from viner.corpus import sentences_of
from viner.document import Document, Span
from viner.evaluation.comparison import Comparison, Tally, compare_tallies, document_tally
from viner.evaluation.documents import named
from viner.evaluation.errors import Pair, align
from viner.evaluation.evaluate import Evaluable, Observer, evaluate_model
from viner.evaluation.excerpts import Excerpt, Excerpts
from viner.evaluation.report import Evaluation
from viner.evaluation.sampling import Sample
from viner.metrics import SeenSurfaces

Outcome = Literal["repaired", "broken", "mixed", "other"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""What a change means: only repaired, only broken, both, or wrong in another way than before."""
Key = tuple[int, int, str]
"""Start, end and label of an entity."""
CASES = 60
"""Sentences of each outcome that are kept."""


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence in which the recognizers differ.

    Args:
        outcome: What the second one changed.
        first: The text with the first one's entities.
        second: The same text with the second one's.
        differing: Spans of the entities, annotated or recognized, that one has right or makes up and the other does not.
    """

    outcome: Outcome
    first: Excerpt
    second: Excerpt
    differing: tuple[Span, ...]


class Versus:
    """Compares the answers of two recognizers, document by document. Of each document it keeps counts by label.

    Args:
        cases: Sentences of each outcome that are kept.
        seed: Of the sample.
    """

    def __init__(self, *, cases: int = CASES, seed: int = 0) -> None:
        self.documents = 0
        self.repaired = 0
        """Annotated entities that only the second finds, and spurious ones that only the first has."""
        self.broken = 0
        """The other way round."""
        self.by_label: dict[str, Counter[str]] = {}
        """"repaired" and "broken" by label."""
        self._compared: Comparison | None = None
        self._tallies: tuple[list[Tally], list[Tally]] = ([], [])
        self._cases: dict[Outcome, Sample[Case]] = {outcome: Sample(cases, seed) for outcome in OUTCOMES}

    def observe(self, gold: Document, first: Document, second: Document) -> None:
        """Takes one document as it is annotated and as both recognized it."""
        self.documents += 1
        self._compared = None
        pairs = [align(gold.entities or (), answer.entities or ()) for answer in (first, second)]
        for answer, tallies in zip((first, second), self._tallies, strict=True):
            tallies.append(document_tally(gold, answer))
        gains, losses, others = _changes(*pairs)
        for name, keys in (("repaired", gains), ("broken", losses)):
            for *_, label in keys:
                self.by_label.setdefault(label, Counter())[name] += 1
        self.repaired += len(gains)
        self.broken += len(losses)
        if gains or losses or others:
            self._offer(gold, (first, second), gains, losses, others)

    def comparison(self, first: str = "first", second: str = "second") -> Comparison:
        """The figures of both, and whether the difference may be luck.

        Args:
            first: What the first recognizer is called.
            second: What the second one is called.
        """
        if self._compared is None:  # thousands of draws: report, summary and JSON ask for the same ones
            self._compared = compare_tallies(first, second, *self._tallies)
        return replace(self._compared, a=first, b=second)

    def sentences(self, outcome: Outcome) -> int:
        """How many sentences have an outcome."""
        return self._cases[outcome].count

    def cases(self, outcome: Outcome) -> list[Case]:
        """Examples of an outcome in the order of the documents, in equal numbers for each label, as far as they go."""
        return self._cases[outcome].drawn()

    def summary(self, first: str, second: str) -> str:
        """A line for people.

        Args:
            first: What the first recognizer is called.
            second: What the second one is called.
        """
        comparison = self.comparison()
        before, after = (scores.f1 for scores in comparison.overall)
        return (
            f"{second} instead of {first}: F1 {before:.4f} → {after:.4f}, {self.repaired:,} repaired, {self.broken:,} broken"
            + ("" if comparison.p_value is None else f" (p = {comparison.p_value:.3g})")
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: that of the comparison, with what was repaired and broken."""
        return {
            **self.comparison().to_dict(),
            "repaired": self.repaired,
            "broken": self.broken,
            "changes": {label: dict(counts) for label, counts in sorted(self.by_label.items())},
            "sentences": {outcome: self.sentences(outcome) for outcome in OUTCOMES},
        }

    def _offer(
        self,
        gold: Document,
        answers: tuple[Document, Document],
        gains: Sequence[Key],
        losses: Sequence[Key],
        others: Sequence[Key],
    ) -> None:
        starts = [start for start, _ in sentences_of(gold)]

        def sentence(key: Key) -> int:
            return max(bisect_right(starts, key[0]) - 1, 0)

        good, bad = ({sentence(key) for key in keys} for keys in (gains, losses))
        grouped: dict[int, list[Key]] = {}
        for key in sorted((*gains, *losses, *others)):
            grouped.setdefault(sentence(key), []).append(key)
        cutters = [Excerpts(gold, answer, self.documents) for answer in answers]
        for number, keys in grouped.items():
            outcome = _outcome(number in good, number in bad)

            def make(keys: list[Key] = keys, outcome: Outcome = outcome) -> Case:
                start, end = keys[0][0], max(end for _, end, _ in keys)
                first, second = (cutter.cut(start, end) for cutter in cutters)
                return Case(outcome, first, second, tuple(dict.fromkeys((start, end) for start, end, _ in keys)))

            self._cases[outcome].offer(keys[0][2], make)


def compare_models(
    first: Evaluable,
    second: Evaluable,
    documents: Iterable[Document],
    *,
    where: str | Path | None = None,
    observe: Observer | None = None,
    seen: SeenSurfaces | None = None,
) -> tuple[Evaluation, Versus]:
    """Evaluates one recognizer and compares another with it, both in one pass over the documents.

    Args:
        first: What is evaluated.
        second: What is compared with it.
        documents: As for :func:`viner.evaluation.evaluate_model`.
        where: The file that they come from, for messages.
        observe: As for :func:`viner.evaluation.evaluate_model`; is shown the answers of the first one.
        seen: As for :func:`viner.evaluation.evaluate_model`.

    Raises:
        InputError: As :func:`viner.evaluation.evaluate_model` does.
    """
    # Both read ahead, by chunks of their own size; what lies between the two is kept, and no more.
    ours, theirs = tee(named(documents))
    questions = (document.bare() for document in theirs if document.entities is not None)
    answers = second.stream(questions, unanswered=lambda document, spans: None)
    versus = Versus()

    def both(gold: Document, predicted: Document) -> None:
        versus.observe(gold, predicted, next(answers))
        if observe is not None:
            observe(gold, predicted)

    evaluation = evaluate_model(first, ours, where=where, observe=both, seen=seen)
    next(answers, None)  # it may have something to say at its end
    return evaluation, versus


def _outcome(repaired: bool, broken: bool) -> Outcome:
    if repaired:
        return "mixed" if broken else "repaired"
    return "broken" if broken else "other"


def _changes(first: list[Pair], second: list[Pair]) -> tuple[list[Key], list[Key], list[Key]]:
    """What the second repairs, what it breaks, and what both have wrong, but each in its own way.

    An annotated entity is right where it was recognized exactly. A spurious one counts for itself; an answer that is wrong for
    an annotated entity counts with that.
    """
    right = [
        Counter(pair.gold.labeled_span for pair in pairs if pair.gold and pair.kind == "correct") for pairs in (first, second)
    ]
    spurious = [
        Counter(pair.predicted.labeled_span for pair in pairs if pair.predicted and not pair.gold) for pairs in (first, second)
    ]
    wrong = [
        Counter(
            (pair.gold.labeled_span, pair.predicted and pair.predicted.labeled_span)
            for pair in pairs
            if pair.gold and pair.kind != "correct"
        )
        for pairs in (first, second)
    ]
    gains = (right[1] - right[0]) + (spurious[0] - spurious[1])
    losses = (right[0] - right[1]) + (spurious[1] - spurious[0])
    others = [gold for gold, _ in wrong[0] - wrong[1] if gold not in gains and gold not in losses]
    return sorted(gains.elements()), sorted(losses.elements()), sorted(others)
