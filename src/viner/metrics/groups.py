"""Groups of entities that are scored apart: by length, and by whether a training has seen them.

A group is a function of an entity alone, so an entity that is found exactly is in the same group on both sides, and precision
and recall of a group mean what they always do.
"""

from __future__ import annotations

LENGTHS = ("1", "2", "3", "4", "5+")
"""Groups by number of words."""

NOVELTIES = ("seen", "other_label", "unseen")
"""Groups by what a training file has: this surface with this label; this surface with other labels only; no such surface."""


def length_group(words: int) -> str:
    """The group of an entity of so many words; one that stands in no word at all counts as one."""
    return LENGTHS[min(max(words, 1), len(LENGTHS)) - 1]


class SeenSurfaces:
    """What a training file has as entities. Surfaces are compared exactly: case, spaces and Unicode form matter.

    Recall on unseen entities says how well a model generalizes, rather than remembers (Augenstein, Derczynski and Bontcheva
    2017).
    """

    def __init__(self) -> None:
        self._labels: dict[str, set[str]] = {}

    def add(self, surface: str, label: str) -> None:
        """Takes an entity of the training file."""
        self._labels.setdefault(surface, set()).add(label)

    def __len__(self) -> int:
        return len(self._labels)

    def group(self, surface: str, label: str) -> str:
        """Which of :data:`NOVELTIES` an entity is."""
        labels = self._labels.get(surface)
        if labels is None:
            return "unseen"
        return "seen" if label in labels else "other_label"
