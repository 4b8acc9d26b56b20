"""Metrics: pure functions from what is right and what was found to figures. No model, no file, no document in here."""

from viner.metrics.entities import EntityScores, EntityTally, LabeledSpan, evaluate
from viner.metrics.scores import Scores

__all__ = ["EntityScores", "EntityTally", "LabeledSpan", "Scores", "evaluate"]
