"""Whether a score says how often an entity is right, and how to make it say so.

A recognizer's scores are calibrated if, of all entities with a score of 0.9, nine in ten are right (strictly: start, end and
label). Networks that were trained until they fit are too sure of themselves (Guo et al. 2017, "On Calibration of Modern Neural
Networks"), and the mean probability of an entity's tags is not the probability that all of its borders are right, either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

BINS = 15
"""As many as Guo et al. (2017) use."""
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
LEAST_SCORE = 1e-4
"""Scores are calibrated as if they lay between this and one minus this: they have four digits."""
LEAST_ENTITIES = 50
"""Calibration is not fitted to fewer: two numbers from so few entities can be worse than none."""
_ROUNDS = 200
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of the entities of each score.

    Args:
        scores: The distinct scores, in [0, 1], ascending. *Shape:* (scores,).
        counts: How many entities have the score. *Shape:* (scores,).
        correct: How many of these are right. *Shape:* (scores,).
    """

    scores: Floats
    counts: Counts
    correct: Counts

    @classmethod
    def of(cls, scores: ArrayLike, correct: ArrayLike) -> Outcomes:
        """Counts entities.

        Args:
            scores: For each entity its score. *Shape:* (entities,).
            correct: For each entity whether it is right. *Shape:* (entities,).
        """
        distinct, place = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)
        right = np.bincount(place[np.asarray(correct, dtype=bool)], minlength=len(distinct))
        return cls(distinct, np.bincount(place, minlength=len(distinct)).astype(np.int64), right.astype(np.int64))

    @classmethod
    def merged(cls, parts: Sequence[Outcomes]) -> Outcomes:
        """The entities of several parts together; none for no part."""
        if not parts:
            return cls.of([], [])
        scores, counts, correct = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "counts", "correct")
        )
        distinct, place = np.unique(scores, return_inverse=True)
        totals = (np.bincount(place, weights=column, minlength=len(distinct)) for column in (counts, correct))
        return cls(distinct, *(total.astype(np.int64) for total in totals))

    @property
    def entities(self) -> int:
        """How many entities there are."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True)
class Bin:
    """Entities of similar scores.

    Args:
        lower: The lowest score among them.
        upper: The highest.
        count: How many they are; never 0.
        score: Mean of their scores.
        precision: Share of them that are right.
    """

    lower: float
    upper: float
    count: int
    score: float
    precision: float


def reliability_bins(outcomes: Outcomes, bins: int = BINS) -> list[Bin]:
    """Bins of a reliability diagram, in ascending order of scores.

    The bins hold equally many entities (Nguyen and O'Connor 2015; Nixon et al. 2019), as far as equal scores, which stay
    together, let them. Bins of equal width would put nine of ten entities of a good model into the last one, whose mean hides
    what is wrong inside, and few into the others, where chance looks like miscalibration; their estimate is the more biased
    (Roelofs et al. 2022).

    Args:
        outcomes: Entities.
        bins: How many bins at most.

    Returns:
        No bin for no entity.
    """
    starts, stops = _edges(outcomes, bins)
    return [
        Bin(
            float(outcomes.scores[start]),
            float(outcomes.scores[stop - 1]),
            int(count := outcomes.counts[start:stop].sum()),
            float(outcomes.counts[start:stop] @ outcomes.scores[start:stop] / count),
            float(outcomes.correct[start:stop].sum() / count),
        )
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]


def expected_calibration_error(outcomes: Outcomes, bins: int = BINS) -> float:
    """How far precision and score are apart, on average over the entities (ECE, Naeini et al. 2015).

    Args:
        outcomes: Entities.
        bins: Number of bins of equally many entities, see :func:`reliability_bins`.

    Returns:
        Mean over the bins, by their counts, of the absolute difference between mean score and precision, in [0, 1]; 0 for no
        entity. It is biased upwards: see :func:`error_by_chance`.
    """
    return float(_errors(outcomes, outcomes.correct[None, :], bins)[0])


def error_by_chance(outcomes: Outcomes, bins: int = BINS, seed: int = 0) -> float:
    """The expected calibration error that scores would show if they were exactly right.

    With few entities in a bin its precision is off its score by chance, which the error counts. So it is drawn, again and
    again, which entities are right, each with its score as the probability (consistency resampling, Bröcker and Smith 2007).

    Args:
        outcomes: Entities; whether they are right is not looked at.
        bins: As for :func:`expected_calibration_error`.
        seed: Of the draws.
    """
    drawn = np.random.default_rng(seed).binomial(outcomes.counts, outcomes.scores, (_ROUNDS, len(outcomes.scores)))
    return float(_errors(outcomes, drawn, bins).mean())


def brier_score(outcomes: Outcomes) -> float:
    """Mean squared difference between an entity's score and 1 if it is right, else 0 (Brier 1950); 0 for no entity.

    Unlike the calibration error it rewards scores that tell right from wrong, and needs no bins.
    """
    wrong = outcomes.counts - outcomes.correct
    squares = outcomes.correct @ (1 - outcomes.scores) ** 2 + wrong @ outcomes.scores**2
    return float(squares / max(outcomes.entities, 1))


@dataclass(frozen=True, slots=True)
class Selection:
    """What is left where entities below a threshold are not trusted.

    Args:
        threshold: The least score that is trusted.
        kept: Share of the entities that have it, in [0, 1].
        precision: Share of these that are right; None where none is left.
    """

    threshold: float
    kept: float
    precision: float | None


def select(outcomes: Outcomes, thresholds: Sequence[float] = THRESHOLDS) -> list[Selection]:
    """Selective accuracy (El-Yaniv and Wiener 2010): how many entities reach a threshold, and how many of them are right."""
    result = []
    for threshold in thresholds:
        first = int(np.searchsorted(outcomes.scores, threshold, side="left"))
        kept = int(outcomes.counts[first:].sum())
        precision = int(outcomes.correct[first:].sum()) / kept if kept else None
        result.append(Selection(threshold, kept / max(outcomes.entities, 1), precision))
    return result


def coverage_curve(outcomes: Outcomes) -> tuple[Floats, Floats]:
    """Selective accuracy at every threshold: :func:`select` for each score that occurs, from the highest down.

    Returns:
        Share of the entities that are kept, ascending up to 1, and share of these that are right. *Shape:* (scores,) each.
    """
    kept = np.cumsum(outcomes.counts[::-1])
    right = np.cumsum(outcomes.correct[::-1])
    return kept / max(outcomes.entities, 1), right / np.maximum(kept, 1)


@dataclass(frozen=True, slots=True)
class LeastScore:
    """Which entities are better left out, for F1.

    Args:
        score: Those with a lower score.
        f1: F1 without them.
        f1_of_all: F1 of all.
    """

    score: float
    f1: float
    f1_of_all: float

    def to_dict(self) -> dict[str, float]:
        """The JSON form."""
        return asdict(self)


def least_score_for_f1(outcomes: Outcomes, support: int) -> LeastScore:
    """The score below which an entity costs more F1 than it brings: half of the highest F1 that there is.

    That is where expected F1 is highest if scores are probabilities (Lipton, Elkan and Narayanaswamy 2014, "Optimal
    Thresholding of Classifiers to Maximize F1 Measure"). The best F1 of a set of documents is a steadier figure than the score
    at which it happens to be reached, so that score is not taken.

    Args:
        outcomes: Entities with calibrated scores.
        support: How many entities there are to find, found or not.
    """
    # Of the entities from each score on, and of none
    found, right = (np.append(np.cumsum(column[::-1])[::-1], 0) for column in (outcomes.counts, outcomes.correct))
    f1s = 2 * right / np.maximum(found + support, 1)
    score = float(f1s.max()) / 2
    return LeastScore(score, float(f1s[np.searchsorted(outcomes.scores, score, side="left")]), float(f1s[0]))


def wilson_interval(right: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Where the share of right ones among more of the kind would lie (Wilson 1927).

    Args:
        right: How many are right.
        count: Of how many, at least 1.
        z: Quantile of the normal distribution; that of 95 % if not given.

    Returns:
        Both ends, in [0, 1].
    """
    share, weight = right / count, z * z / count
    middle = (share + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * float(np.sqrt(share * (1 - share) / count + weight / (4 * count)))
    return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns scores into probabilities of being right: ``sigmoid(slope · log-odds(score) + intercept)`` (Platt 1999).

    It is monotone, so no entity overtakes another.

    Args:
        slope: Greater than 0; below 1 where a model is too sure of itself.
        intercept: In log-odds.

    Raises:
        ValueError: If the numbers are no numbers, or the slope is not greater than 0.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and np.isfinite(self.intercept) and self.slope > 0):
            raise ValueError(f"a calibration of slope {self.slope} and intercept {self.intercept} makes no scores")

    def __call__(self, scores: Floats) -> Floats:
        """The calibrated scores, in (0, 1). *Shape:* that of ``scores``."""
        result: Floats = _sigmoid(self.slope * _log_odds(scores) + self.intercept)
        return result

    def inverse(self, score: float) -> float:
        """What would be calibrated to a score, in [0, 1], if scores near 0 and 1 were not taken for less extreme ones.

        Raises:
            ValueError: If the score is not between 0 and 1, without these.
        """
        if not 0 < score < 1:
            raise ValueError(f"nothing is calibrated to a score of {score}")
        log_odds = (np.log(score / (1 - score)) - self.intercept) / self.slope
        return float(_sigmoid(np.array([log_odds]))[0])

    def applied(self, outcomes: Outcomes) -> Outcomes:
        """The same entities with their calibrated scores."""
        return Outcomes(self(outcomes.scores), outcomes.counts, outcomes.correct)

    def to_dict(self) -> dict[str, float]:
        """The JSON form."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """Reads the JSON form.

        Raises:
            KeyError: If a number is missing.
            ValueError: If the numbers are none, or do not make scores.
        """
        return cls(float(data["slope"]), float(data["intercept"]))


IDENTITY = Calibration(1.0, 0.0)
"""Leaves scores as they are, but for certainty."""


def fit_calibration(outcomes: Outcomes, least: int = LEAST_ENTITIES) -> Calibration | None:
    """Fits a calibration by maximum likelihood (Platt 1999, by Newton's method as in Lin, Lin and Weng 2007).

    Right entities count as right with probability (right + 1) / (right + 2) and wrong ones with 1 / (wrong + 2), as Platt has
    it, so that few entities do not make scores of 0 and 1.

    Args:
        outcomes: Entities of documents that the model did not learn from.
        least: How many entities it takes.

    Returns:
        None where nothing can be learned: fewer entities than that, all of them right or all wrong, or scores that do not rise
        with being right.
    """
    right = int(outcomes.correct.sum())
    wrong = outcomes.entities - right
    if outcomes.entities < least or not right or not wrong:
        return None
    hits = outcomes.correct * ((right + 1) / (right + 2)) + (outcomes.counts - outcomes.correct) / (wrong + 2)
    inputs = np.stack([_log_odds(outcomes.scores), np.ones(len(outcomes.scores))])

    def loss(weights: Floats) -> float:
        """Negative log-likelihood: log(1 + exp(z)) for every entity, less z for those that count as right."""
        z = weights @ inputs
        return float(outcomes.counts @ np.logaddexp(0, z) - hits @ z)

    weights = np.array([0.0, np.log((right + 1) / (wrong + 1))])
    for _ in range(_STEPS):
        chances = _sigmoid(weights @ inputs)
        gradient = inputs @ (outcomes.counts * chances - hits)
        # The last term keeps it invertible where all scores are the same.
        curvature = (inputs * (outcomes.counts * chances * (1 - chances))) @ inputs.T + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        before, size = loss(weights), 1.0
        while size > 1e-6 and loss(weights - size * step) > before:
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < 1e-8:
            break
    slope, intercept = weights.tolist()
    return Calibration(slope, intercept) if slope > 0 else None


def cross_calibrated(parts: Sequence[Outcomes]) -> Outcomes | None:
    """All entities with scores that were calibrated without them: what a calibration that is fitted to all of them is worth.

    Each part is given the calibration that is fitted to the others (cross-validation, Stone 1974). Measured on the entities
    that it was fitted to, a calibration looks better than it is.

    Args:
        parts: The entities of disjoint sets of documents.

    Returns:
        Where nothing can be learned from the others of a part, its scores stay as they are. None for fewer than two parts with
        entities.
    """
    known = [part for part in parts if part.entities]
    if len(known) < 2:
        return None
    held_out = []
    for index, part in enumerate(known):
        fitted = fit_calibration(Outcomes.merged([*known[:index], *known[index + 1 :]]), least=1)
        held_out.append(part if fitted is None else fitted.applied(part))
    return Outcomes.merged(held_out)


def _edges(outcomes: Outcomes, bins: int) -> tuple[Counts, Counts]:
    """Where bins of equally many entities start and stop among the distinct scores."""
    after = np.cumsum(outcomes.counts)
    wanted = outcomes.entities * np.arange(1, bins + 1) / bins
    # A score belongs to the bin in which the middle one of its entities lies.
    middles = after - outcomes.counts / 2
    stops = np.unique(np.searchsorted(middles, wanted, side="left"))
    stops = stops[stops > 0]
    return np.concatenate([[0], stops[:-1]])[: len(stops)].astype(np.int64), stops.astype(np.int64)


def _errors(outcomes: Outcomes, correct: Counts, bins: int) -> Floats:
    """The calibration error of several answers to the same question. *Shape:* (answers, scores) → (answers,)."""
    starts, _ = _edges(outcomes, bins)
    if not len(starts):
        return np.zeros(len(correct))
    gaps = correct - outcomes.counts * outcomes.scores
    result: Floats = np.abs(np.add.reduceat(gaps, starts, axis=1)).sum(axis=1) / outcomes.entities
    return result


def _log_odds(scores: Floats) -> Floats:
    kept = np.clip(scores, LEAST_SCORE, 1 - LEAST_SCORE)
    result: Floats = np.log(kept / (1 - kept))
    return result


def _sigmoid(values: Floats) -> Floats:
    # By tanh, which has no overflow.
    result: Floats = 0.5 * (1 + np.tanh(0.5 * values))
    return result
