"""Segments: the units of one or several syllables that Vietnamese segmenters call words, over the words of a text.

``bệnh viện`` is two words here, since an annotator may begin or end an entity at either, and one segment. Encoders such as
PhoBERT learned from segmented text (``bệnh_viện``) and want to read it so. A segment is a span of the raw text like a word, so
nothing is lost on the way: segmenters say which words belong together, never which characters.

Any segmenter will do. A package of yours offers one as an entry point of the group ``viner.segmenters``, a callable without
arguments that returns a :class:`Segmenter`; its name there is what ``--segmenter`` and the model folder call it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Protocol

from viner.document import Span
from viner.errors import InputError, UsageError
from viner.text.normalize import nfc
from viner.text.sentences import split_sentences

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "viner.segmenters"
"""The group of entry points in which packages offer segmenters."""
DEFAULT_SEGMENTER = "underthesea"
_OWN = {DEFAULT_SEGMENTER: "viner.text.underthesea:Underthesea"}


class Segmenter(Protocol):
    """Groups the words of a sentence. It must be safe to call from several threads at once."""

    @property
    def version(self) -> str:
        """Version of what decides, for the model folder: another one may group otherwise."""

    def segment(self, words: Sequence[str]) -> Iterable[tuple[int, int]]:
        """Groups the words of one sentence.

        Args:
            words: Surfaces in NFC, punctuation marks among them; none is empty or holds a space.

        Returns:
            Ranges of words, end-exclusive, that tile them in order: ``[(0, 2), (2, 3)]`` for ``bệnh viện lớn``.
        """


def segmenters() -> dict[str, EntryPoint]:
    """Where the segmenters are that can be named here, whether or not what they need is installed."""
    from importlib.metadata import EntryPoint, entry_points  # slow to import, and most never ask

    own = [EntryPoint(name, place, GROUP) for name, place in _OWN.items()]
    return {point.name: point for point in (*own, *entry_points(group=GROUP))}


@cache
def find_segmenter(name: str) -> Segmenter:
    """The segmenter of a name, loaded once.

    Raises:
        UsageError: If no package here offers one of that name.
        MissingExtraError: If it needs an extra that is not installed.
    """
    known = segmenters()
    if name not in known:
        raise UsageError(
            f"unknown segmenter {name!r}",
            hint=f"Segmenters here: {', '.join(known)}; others are packages with an entry point in the group {GROUP}",
        )
    segmenter: Segmenter = known[name].load()()
    return segmenter


def segment_words(text: str, words: Sequence[Span], segmenter: Segmenter, *, keep: Iterable[Span] = ()) -> list[Span]:
    """Spans of a text's segments.

    No segment runs over the end of a sentence, and words that touch (``COVID``, ``-``, ``19``) never become one: an annotator
    may part them. Words of which one holds a space, as those of a segmented file do, are segments already and come back.

    Args:
        text: The raw text.
        words: Spans of its words in order.
        segmenter: Groups them.
        keep: Spans that no segment may cross, such as the entities that a model shall learn: a segment with such a border
            inside is parted there.

    Returns:
        ``(start, end)`` of each segment in code points: from the start of its first word to the end of its last.

    Raises:
        InputError: If the segmenter's ranges do not tile the words.
    """
    if any(len(text[start:end].split()) > 1 for start, end in words):
        return list(words)
    starts, ends = [start for start, _ in words], [end for _, end in words]
    cuts = {index for start, end in keep for index in (bisect_right(ends, start), bisect_left(starts, end))}
    cuts.update(index for index in range(1, len(words)) if ends[index - 1] == starts[index])
    bounds = sorted({0, len(words), *(bisect_left(starts, start) for start, _ in split_sentences(text))})
    segments: list[Span] = []
    for first, last in pairwise(bounds):
        surfaces = [nfc(text[start:end]) for start, end in words[first:last]]
        for begin, end in _tiling(segmenter, surfaces):
            borders = [first + begin, *(i for i in range(first + begin + 1, first + end) if i in cuts), first + end]
            segments += [(starts[left], ends[right - 1]) for left, right in pairwise(borders)]
    return segments


def _tiling(segmenter: Segmenter, words: Sequence[str]) -> list[tuple[int, int]]:
    ranges = [(int(first), int(last)) for first, last in segmenter.segment(words)]
    position = 0
    for first, last in ranges:
        if first != position or last <= first:
            break
        position = last
    else:
        if position == len(words):
            return ranges
    raise InputError(
        f"the segmenter {type(segmenter).__name__} groups {len(words)} words as {ranges[:20]}, which do not tile them"
    )


def group_words(words: Sequence[str], tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of words that tokens of the same sentence cover, for segmenters that cut text by themselves.

    White space does not count. A token's border inside a word is no border. Where words and tokens do not have the same number
    of characters, a segmenter has changed some, and each word stands alone.

    Args:
        words: The words.
        tokens: What the segmenter made of ``" ".join(words)``, with or without spaces inside.
    """
    borders = set(accumulate(len("".join(token.split())) for token in tokens))
    ends = list(accumulate(map(len, words)))
    if not ends or ends[-1] != max(borders, default=0):
        return [(index, index + 1) for index in range(len(words))]
    return list(pairwise([0, *(index for index, end in enumerate(ends, 1) if end in borders)]))
