"""What a scanner misreads: letters that look alike, marks too small to see, spaces lost, and spaces that were never there.

The pairs of letters are among those that Tesseract lists as ambiguous (``unicharambigs``); that words break apart and run
together beside them is from Nguyen et al. (Deep statistical analysis of OCR errors, JCDL 2019). The rates are our own choice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from random import Random

import regex

from viner.corpus.perturb.rewriting import Edit, Rewriting, fixed_borders, pieces
from viner.document import Document, Span
from viner.text import strip_diacritics

RATE = 0.1
"""Share of the words in which something is misread."""

BOUNDARY_RATE = 0.02
"""Share of the spaces that are lost, and of the longer words that break in two."""

_ALIKE = (
    ("rn", "m"), ("cl", "d"), ("vv", "w"), ("ii", "u"), ("li", "h"), ("l", "1"), ("I", "l"), ("I", "1"), ("O", "0"), ("o", "0"),
    ("S", "5"), ("B", "8"), ("Z", "2"), ("G", "6"), ("g", "9"), ("e", "c"), ("n", "u"), ("h", "b"),
)  # fmt: skip
_MISREAD = tuple((seen, read) for pair in _ALIKE for seen, read in (pair, pair[::-1]))
_CLUSTERS = regex.compile(r"\X")
_SHORTEST_BREAK = 4
"""Letters of the shortest word that breaks in two."""


def as_scanned(document: Document, rng: Random, rate: float = RATE) -> Document:
    """The document as a scanner may have read it.

    A word that breaks in two is two words, and two that run together are one, in documents that bring their own words as well.
    Words never run together across the border of an entity, since nobody could say what is right there.

    Args:
        document: Any document.
        rng: Draws the words and what goes wrong.
        rate: Share of the words in which something is misread, in [0, 1].
    """
    text, edits = document.text, []
    breaks: list[tuple[int, int]] = []
    for start, end in pieces(document):
        read = _misread(text[start:end], rng) if rng.random() < rate else text[start:end]
        if " " in read:
            read = "".join(part for part in regex.split(r"( )", read) if part != " " or rng.random() >= BOUNDARY_RATE)
        if rng.random() < BOUNDARY_RATE and (at := _middle(read)):
            read = f"{read[:at]} {read[at:]}"
            breaks.append((start, at))
        if read != text[start:end]:
            edits.append(Edit(start, end, read))
    lost = [at for at in _spaces(document) if rng.random() < BOUNDARY_RATE]
    edits += [Edit(at, at + 1, "") for at in lost]
    if not edits:
        return document
    rewriting = Rewriting(text, sorted(edits, key=lambda edit: edit.start))
    scanned = rewriting.document(document)
    if document.words is None or not (breaks or lost):
        return scanned
    gaps = [rewriting.offset(start) + at for start, at in breaks]
    # Nobody knows the classes of words that are others now.
    return scanned.with_(words=_recut(scanned.words or (), gaps, {rewriting.offset(at) for at in lost}), tags=None)


def _misread(word: str, rng: Random) -> str:
    found = [(at, seen, read) for seen, read in _MISREAD for at in range(len(word)) if word.startswith(seen, at)]
    marked = [match.span() for match in _CLUSTERS.finditer(word) if strip_diacritics(match[0]) not in ("", match[0])]
    if marked and (not found or rng.random() < 0.5):
        start, end = rng.choice(marked)
        return word[:start] + strip_diacritics(word[start:end]) + word[end:]
    if not found:
        return word
    at, seen, read = rng.choice(found)
    return word[:at] + read + word[at + len(seen) :]


def _middle(word: str) -> int:
    """Where a word breaks in two, 0 where it does not: it is too short, or holds more than letters and digits."""
    clusters: list[str] = _CLUSTERS.findall(word)
    if len(clusters) < _SHORTEST_BREAK or not all(cluster[0].isalnum() for cluster in clusters):
        return 0
    return sum(map(len, clusters[: len(clusters) // 2]))


def _spaces(document: Document) -> list[int]:
    """Offsets of single spaces between words, between letters or digits, that no annotation begins or ends at."""
    text, fixed = document.text, fixed_borders(document)
    inside = {at for start, end in pieces(document) for at in range(start, end)}
    return [
        at
        for at in range(1, len(text) - 1)
        if text[at] == " "
        and text[at - 1].isalnum()
        and text[at + 1].isalnum()
        and at not in inside
        and not fixed & {at, at + 1}
    ]


def _recut(words: Sequence[Span], gaps: Sequence[int], lost: set[int]) -> list[Span]:
    """The words with borders at new spaces (``gaps``), and without those that had a lost one between them (``lost``)."""
    cut: list[Span] = []
    for start, end in words:
        for gap in gaps[bisect_right(gaps, start) : bisect_left(gaps, end)]:
            cut.append((start, gap))
            start = gap + 1
        cut.append((start, end))
    joined: list[Span] = []
    for start, end in cut:
        if joined and joined[-1][1] == start and start in lost:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined
