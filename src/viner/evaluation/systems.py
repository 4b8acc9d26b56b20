"""Several systems on one annotated file: a model each, or a recipe, of which models with different seeds are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from viner.document import Document
from viner.evaluation.comparison import (
    Comparison,
    OverSeeds,
    Tally,
    added,
    compare_tallies,
    document_counts,
    document_tally,
    scores_by_label,
)
from viner.evaluation.evaluate import Evaluable, evaluate_model
from viner.evaluation.markdown import markdown_table, shorten
from viner.metrics import LEAST_SEEDS, Interval, Scores, Spread, bootstrap_interval, seeds_interval, welch_p

DIFFERING = 5
"""Labels that a comparison names."""
_NAME = 30


@dataclass(frozen=True, slots=True)
class System:
    """What a system did.

    Args:
        name: What it is called.
        models: Names of its models, one a seed.
        tallies: Counts of each model on each document, by label.
        unknown: Annotated labels that one of its models does not know, with the number of their entities.
    """

    name: str
    models: tuple[str, ...]
    tallies: tuple[Sequence[Tally], ...]
    unknown: Mapping[str, int] = field(default_factory=dict)

    def f1s(self) -> list[float]:
        """Strict micro F1 of each seed."""
        return [Scores.micro(list(scores.values())).f1 for scores in self._scores()]

    def micro(self) -> Spread:
        """Strict micro F1 over the seeds."""
        return Spread.of(self.f1s())

    def macro(self) -> Spread:
        """Strict macro F1 over the seeds."""
        return Spread.of([Scores.macro(list(scores.values())).f1 for scores in self._scores()])

    def labels(self) -> dict[str, Spread]:
        """Strict F1 of each label over the seeds; 0 where a seed has a label neither right nor wrong."""
        scores = self._scores()
        names = sorted({label for each in scores for label in each})
        return {name: Spread.of([each[name].f1 if name in each else 0.0 for each in scores]) for name in names}

    def interval(self) -> Interval | None:
        """Where micro F1 would lie for other documents of the kind, all seeds together; None with a single document."""
        return bootstrap_interval(document_counts(self.pooled()))

    def pooled(self) -> list[Tally]:
        """The counts of all seeds together, document by document."""
        return [added(answers) for answers in zip(*self.tallies, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"name", "models", "micro_f1", "macro_f1", "labels", "interval", "unknown_labels"}``."""
        return {
            "name": self.name,
            "models": list(self.models),
            "micro_f1": self.micro().to_dict(),
            "macro_f1": self.macro().to_dict(),
            "labels": {label: spread.to_dict() for label, spread in self.labels().items()},
            "interval": None if (interval := self.interval()) is None else interval.to_dict(),
            "unknown_labels": dict(self.unknown),
        }

    def _scores(self) -> list[dict[str, Scores]]:
        return [scores_by_label(tallies) for tallies in self.tallies]


def score_system(
    name: str,
    models: Iterable[tuple[str, Evaluable]],
    documents: Callable[[], Iterable[Document]],
    *,
    where: str | Path | None = None,
) -> System:
    """Scores all models of a system; of the documents only counts are kept.

    Args:
        name: What the system is called.
        models: Names and recognizers of its models; each is taken when the one before is done.
        documents: Gives the annotated documents anew for each model.
        where: The file that they come from, for messages.

    Raises:
        InputError: As :func:`viner.evaluation.evaluate_model` does.
    """
    names, tallies = [], []
    unknown: dict[str, int] = {}
    for model, recognizer in models:
        found: list[Tally] = []

        def observe(gold: Document, predicted: Document, found: list[Tally] = found) -> None:
            found.append(document_tally(gold, predicted))

        unknown.update(evaluate_model(recognizer, documents(), where=where, observe=observe).unknown_labels)
        names.append(model)
        tallies.append(found)
    return System(name, tuple(names), tuple(tallies), dict(sorted(unknown.items())))


def compare_systems(a: System, b: System) -> Comparison:
    """The comparison of two systems on the same documents, by the counts of all their seeds together.

    Interval and p say what other documents would change. Documents are exchanged between systems with all their seeds, so where
    the numbers of seeds differ that is not tested, and p is None. What other seeds would change is told beside it, where each
    system has as many as that takes.
    """
    seeds = len(a.models), len(b.models)
    comparison = replace(compare_tallies(a.name, b.name, a.pooled(), b.pooled()), seeds=seeds)
    if min(seeds) >= LEAST_SEEDS:
        counts = (np.stack([document_counts(each) for each in system.tallies]) for system in (a, b))
        interval = None if comparison.interval is None else seeds_interval(*counts)
        comparison = replace(comparison, over_seeds=OverSeeds(welch_p(a.f1s(), b.f1s()), interval))
    return comparison if seeds[0] == seeds[1] else replace(comparison, p_value=None)


def unknown_markdown(systems: Sequence[System]) -> str:
    """A line for each annotated label that a system does not know, which counts against it; empty where there is none."""
    lines = []
    for system in systems:
        name = shorten(system.name, _NAME)
        for label, count in system.unknown.items():
            entities = "1 gold entity" if count == 1 else f"{count:,} gold entities"
            lines.append(f"\n{shorten(label)}, the type of {entities}, is none of those that {name} answers with.\n")
    return "".join(lines)


def systems_markdown(systems: Sequence[System]) -> str:
    """A table with one row a system, and what must be known to read it."""
    rows = [
        (
            shorten(system.name, _NAME),
            f"{len(system.models)}",
            str(system.micro()),
            _range(system.interval()),
            str(system.macro()),
        )
        for system in systems
    ]
    table = markdown_table(("system", "seeds", "micro F1", "95 % interval", "macro F1"), rows)
    notes = ["Strict: start, end and type must be right.", f"{len(systems[0].tallies[0]):,} documents."]
    if any(len(system.models) > 1 for system in systems):
        notes.append("Mean ± deviation over seeds; intervals are of all seeds together.")
    return f"{table}\n{' '.join(notes)}\n"


def comparison_markdown(comparison: Comparison) -> str:
    """How far two systems are apart, in words, and the labels where they differ most."""
    differing = sorted(
        ((label, first, second) for label, (first, second) in comparison.labels.items() if first.f1 != second.f1),
        key=lambda row: (-abs(row[2].f1 - row[1].f1), row[0]),
    )
    if not differing:
        return _verdict(comparison) + "\n"
    rows = [
        (shorten(label), f"{a.f1:.4f}", f"{b.f1:.4f}", f"{b.f1 - a.f1:+.4f}", f"{a.support // comparison.seeds[0]:,}")
        for label, a, b in differing[:DIFFERING]
    ]
    head = ("type", shorten(comparison.a, _NAME), shorten(comparison.b, _NAME), "difference", "gold")
    return f"{_verdict(comparison)}\n\n{markdown_table(head, rows)}"


def _range(interval: Interval | None) -> str:
    if interval is None:
        return "one document"
    return f"{interval.low:.4f} to {interval.high:.4f}"


def _verdict(comparison: Comparison) -> str:
    text = f"{comparison.b} instead of {comparison.a}: micro F1 {comparison.delta:+.4f}"
    if comparison.interval is not None:
        low, high, level = comparison.interval
        text += f", {level * 100:g} % interval {low:+.4f} to {high:+.4f}"
    over = comparison.over_seeds
    if comparison.p_value is not None:
        text += f", p = {comparison.p_value:.3g}."
    elif comparison.documents == 1:
        text += ". Not tested: it is one document."
    elif over is None:
        text += f". Not tested: with different numbers of seeds it takes {LEAST_SEEDS} of each."
    else:
        text += "."
    if over is None:
        return text
    told = []
    if over.interval is not None:
        low, high, level = over.interval
        told.append(f"{level * 100:g} % interval of the mean {low:+.4f} to {high:+.4f}")
    if over.p_value is not None:
        told.append(f"p = {over.p_value:.3g} (Welch's test over the seeds)")
    return f"{text}\nWith other seeds{' as well' if over.interval else ''}: {', '.join(told)}." if told else text
