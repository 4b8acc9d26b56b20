"""Evaluation: how well a recognizer does on annotated documents."""

from viner.evaluation.breakdowns import seen_surfaces
from viner.evaluation.details import details_markdown
from viner.evaluation.evaluate import evaluate_model
from viner.evaluation.report import Evaluation

__all__ = ["Evaluation", "details_markdown", "evaluate_model", "seen_surfaces"]
