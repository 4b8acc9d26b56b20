"""Metrics: pure functions from what is right and what was found to figures. No model, no file, no document in here."""

from viner.metrics.entities import EntityScores, EntityTally, LabeledSpan, evaluate
from viner.metrics.groups import SeenSurfaces
from viner.metrics.intervals import Interval, bootstrap_difference, bootstrap_interval
from viner.metrics.modes import Mode, ModeScores, score_modes
from viner.metrics.scores import Scores
from viner.metrics.seeds import LEAST_SEEDS, seeds_interval, welch_p
from viner.metrics.significance import randomization_p
from viner.metrics.spread import Spread
from viner.metrics.tags import evaluate_tags

__all__ = [
    "LEAST_SEEDS",
    "EntityScores",
    "EntityTally",
    "Interval",
    "LabeledSpan",
    "Mode",
    "ModeScores",
    "Scores",
    "SeenSurfaces",
    "Spread",
    "bootstrap_difference",
    "bootstrap_interval",
    "evaluate",
    "evaluate_tags",
    "randomization_p",
    "score_modes",
    "seeds_interval",
    "welch_p",
]
