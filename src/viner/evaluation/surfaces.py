"""How the same text is annotated and recognized wherever it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from viner.evaluation.errors import Pair

MOST = 100_000
"""Different surfaces that are counted; the ones that come later are left out, so that memory stays bounded."""
LONGEST = 200
"""Code points by which surfaces are told apart."""


@dataclass(frozen=True, slots=True)
class Surface:
    """A text that is an entity somewhere.

    Args:
        text: The text, cut off where it is very long.
        gold: How often it is annotated with each label.
        predicted: How often it is recognized with each label.
        errors: In how many errors it is, as annotated or as recognized; a pair that is wrong with both counts once.
    """

    text: str
    gold: Mapping[str, int]
    predicted: Mapping[str, int]
    errors: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"text": self.text, "gold": dict(self.gold), "predicted": dict(self.predicted), "errors": self.errors}


class Surfaces:
    """Counts surfaces."""

    def __init__(self) -> None:
        self.left_out = 0
        """Entities whose surfaces came when there were :data:`MOST` of them."""
        self._known: set[str] = set()
        self._gold: Counter[tuple[str, str]] = Counter()
        self._predicted: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[str] = Counter()

    def add(self, pair: Pair) -> None:
        """Counts what was annotated and what was recognized."""
        wrong = set()
        for entity, counts in ((pair.gold, self._gold), (pair.predicted, self._predicted)):
            if entity is None:
                continue
            text = (entity.text or "")[:LONGEST]
            if text not in self._known:
                if len(self._known) >= MOST:
                    self.left_out += 1
                    continue
                self._known.add(text)
            counts[text, entity.label] += 1
            wrong.add(text)
        if pair.kind != "correct":
            self._errors.update(wrong)

    def tables(self, texts: set[str]) -> dict[str, Counter[str]]:
        """How often some texts are annotated with each label."""
        found: dict[str, Counter[str]] = {text: Counter() for text in texts}
        for (text, label), count in self._gold.items():
            if text in found:
                found[text][label] += count
        return found

    def hardest(self, most: int = 30) -> list[Surface]:
        """The texts that are most often wrong, the worst first; of equals the one that is more often wrong than right."""
        total = Counter[str]()
        for (text, _), count in self._gold.items():
            total[text] += count
        worst = sorted(self._errors, key=lambda text: (-self._errors[text], total[text], text))
        return self._described(worst[:most])

    def disputed(self, most: int = 30) -> list[Surface]:
        """The texts that are annotated with several labels, those first where more than one of them is common."""
        labels: dict[str, list[int]] = {}
        for (text, _), count in self._gold.items():
            labels.setdefault(text, []).append(count)
        several = [text for text, counts in labels.items() if len(counts) > 1]
        several.sort(key=lambda text: (max(labels[text]) - sum(labels[text]), text))
        return self._described(several[:most])

    def _described(self, texts: list[str]) -> list[Surface]:
        gold = self.tables(set(texts))
        predicted: dict[str, Counter[str]] = {text: Counter() for text in texts}
        for (text, label), count in self._predicted.items():
            if text in predicted:
                predicted[text][label] += count
        return [Surface(text, _sorted(gold[text]), _sorted(predicted[text]), self._errors[text]) for text in texts]


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
