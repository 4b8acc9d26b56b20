"""Evaluation: how well a recognizer does on annotated documents."""

from viner.evaluation.evaluate import evaluate_model
from viner.evaluation.report import Evaluation

__all__ = ["Evaluation", "evaluate_model"]
