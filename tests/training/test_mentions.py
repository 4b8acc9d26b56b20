"""Mention replacement."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.encoding import EncodedText
from viner.training.examples import Example
from viner.training.heads import IGNORED
from viner.training.mentions import Mentions, mention_ranges


def text(*words: tuple[int, list[int]]) -> tuple[EncodedText, np.ndarray]:
    """A text of words, each a tag and its pieces."""
    pieces = np.array([piece for _, cut in words for piece in cut], dtype=np.int32)
    offsets = np.cumsum([0, *(len(cut) for _, cut in words)]).astype(np.int32)
    return EncodedText([], pieces, offsets), np.array([tag for tag, _ in words], dtype=np.int64)


def words_of(example: Example) -> list[tuple[int, tuple[int, ...]]]:
    bounds = [*example.first.tolist(), len(example.pieces)]
    cut = [tuple(example.pieces[a:b].tolist()) for a, b in pairwise(bounds)]
    return list(zip(example.targets.tolist(), cut, strict=True))


@pytest.mark.parametrize(
    ("tags", "ranges"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 2, 2, 0, 3], [(0, 3), (4, 5)]),
        ([1, 1, 2], [(0, 1), (1, 3)]),
        ([1, 4, 3, 2], [(0, 1), (2, 3)]),
        ([2, 2, 0, 4], []),
        ([IGNORED, 1, 2, IGNORED], [(1, 3)]),
    ],
)
def test_mentions_begin_with_b_and_go_on_with_i_of_their_label(tags, ranges):
    assert mention_ranges(np.array(tags, dtype=np.int64)) == ranges


LAN = [(0, [9]), (1, [10, 11]), (0, [12])]
HA_NOI = [(0, [9]), (3, [20]), (4, [21, 22]), (0, [12, 13])]
HUE = [(3, [30])]


def test_a_mention_gets_all_words_of_the_other_one_and_their_tags():
    mentions = Mentions([text(*LAN), text(*HA_NOI), text(*HUE)])
    seen = Counter()
    for seed in range(60):
        shown = mentions.replaced(Example.of(*text(*HA_NOI)), 0.999, np.random.default_rng(seed))
        seen[str(words_of(shown))] += 1
    other = [(0, (9,)), (3, (30,)), (0, (12, 13))]
    assert set(seen) == {str([(tag, tuple(cut)) for tag, cut in HA_NOI]), str(other)}
    assert min(seen.values()) > 15, "how often a mention occurs does not count"


def test_half_a_mention_stays():
    """A sentence may end within an entity."""
    mentions = Mentions([text(*HA_NOI), text(*HUE)])
    half = text(*HUE, *HA_NOI[:2])
    for seed in range(20):
        shown = words_of(mentions.replaced(Example.of(*half), 0.999, np.random.default_rng(seed), cut=True))
        assert shown[-1] == (3, (20,))
        assert shown[0][0] == 3
    whole = [words_of(mentions.replaced(Example.of(*half), 0.999, np.random.default_rng(seed)))[-1] for seed in range(20)]
    assert (3, (30,)) in whole


def test_a_label_with_one_mention_keeps_it():
    mentions = Mentions([text(*LAN), text(*LAN), text(*HUE)])
    shown = mentions.replaced(Example.of(*text(*LAN)), 0.999, np.random.default_rng(0))
    assert words_of(shown) == [(tag, tuple(cut)) for tag, cut in LAN]


def test_nothing_drawn_is_the_same_example():
    example = Example.of(*text(*LAN))
    assert Mentions([text(*LAN)]).replaced(example, 0.0, np.random.default_rng(0)) is example


tags = st.lists(st.integers(0, 4), max_size=12)


@given(st.lists(tags, min_size=1, max_size=4), st.floats(0, 1), st.integers(0, 99))
def test_labels_and_all_else_stay_as_they_are(texts, share, seed):
    draw = np.random.default_rng(seed)
    made = [
        text(*((tag, [100 * number + place] * int(draw.integers(1, 4))) for place, tag in enumerate(tagged)))
        for number, tagged in enumerate(texts)
    ]
    mentions = Mentions(made)
    whole = Example.of(*made[0])
    shown = mentions.replaced(whole, share, np.random.default_rng(seed))

    def labels(example: Example) -> list[int]:
        return [int(example.targets[first]) for first, _ in mention_ranges(example.targets)]

    def outside(example: Example) -> list[tuple[int, tuple[int, ...]]]:
        inside = {place for first, last in mention_ranges(example.targets) for place in range(first, last)}
        return [word for place, word in enumerate(words_of(example)) if place not in inside]

    def known(examples: list[Example]) -> set[str]:
        return {str(words_of(example)[a:b]) for example in examples for a, b in mention_ranges(example.targets)}

    assert labels(shown) == labels(whole)
    assert outside(shown) == outside(whole)
    assert known([shown]) <= known([Example.of(*one) for one in made])
