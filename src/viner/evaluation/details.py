"""An evaluation beyond its strict table, in tables that fit a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Mapping

from viner.evaluation.markdown import markdown_table, shorten
from viner.evaluation.report import Evaluation, scores_table
from viner.metrics import Mode, Scores

WORST = 5
"""Documents that are named."""
_NOVELTY = {"seen": "seen", "other_label": "as another type", "unseen": "never seen"}


def details_markdown(evaluation: Evaluation) -> str:
    """Modes, scores by length and by novelty, and the documents with most errors, as far as they are known.

    Args:
        evaluation: What :func:`viner.evaluation.evaluate_model` gave.
    """
    parts = (
        _modes(evaluation),
        _modes_by_label(evaluation),
        _lengths(evaluation.lengths),
        _surfaces(evaluation.surfaces),
        _documents(evaluation),
    )
    return "\n".join(part for part in parts if part)


def _modes(evaluation: Evaluation) -> str:
    if not evaluation.modes:
        return ""
    counts = ("correct", "incorrect", "partial", "missed", "spurious")
    rows = [
        (
            mode,
            *(f"{figure:.4f}" for figure in (scores.precision, scores.recall, scores.f1)),
            *(f"{getattr(scores, name):,}" for name in counts),
        )
        for mode, scores in evaluation.modes.items()
    ]
    return (
        markdown_table(("mode", "precision", "recall", "F1", *counts), rows)
        + "\nExact: borders alone. Partial: any overlap, half for other borders. Type: overlap and type.\n"
    )


def _modes_by_label(evaluation: Evaluation) -> str:
    """F1 of each label in the modes that can differ: among entities of one label, exact is strict."""
    shown: tuple[Mode, ...] = ("strict", "partial", "type")
    rows = [
        (shorten(label), *(f"{modes[mode].f1:.4f}" if modes[mode].possible else "–" for mode in shown))
        for label, modes in evaluation.modes_by_label.items()
    ]
    return markdown_table(("F1 of type", *shown), rows) if rows else ""


def _lengths(lengths: Mapping[str, Scores]) -> str:
    return scores_table("words", list(lengths.items())) if lengths else ""


def _surfaces(surfaces: Mapping[str, Scores]) -> str:
    if not surfaces:
        return ""
    return scores_table("in training", [(_NOVELTY[group], scores) for group, scores in surfaces.items()])


def _documents(evaluation: Evaluation) -> str:
    documents = evaluation.by_document
    if documents is None:
        return ""
    text = f"{documents.without_error():,} of {len(documents):,} documents have no error."
    worst = documents.worst(WORST)
    if not worst:
        return text + "\n"
    rows = [
        (
            shorten(item.id or f"document {item.number}"),
            f"{item.support:,}",
            f"{item.predicted:,}",
            f"{item.correct:,}",
            f"{item.f1 or 0:.4f}" if item.support else "–",
        )
        for item in worst
    ]
    return f"{text} Most errors:\n\n" + markdown_table(("document", "gold", "predicted", "correct", "F1"), rows)
