"""Dictionaries: terms found in a text wherever they stand as whole words, however they are spelled in Unicode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import regex

from viner.document import Span
from viner.errors import InputError
from viner.project import Dictionary
from viner.text import nfc, split_words, tone_style

LONGEST_TERM = 64
"""Longest term in words. What a lookup costs at each word of a text is bounded by it."""

_CUT_BY_CASE = regex.compile(r"\p{Nd}++(?=[\p{Lu}\p{Lt}])")
"""A number before a letter that has a small form, before which the splitter would cut."""
_PARAGRAPH = 2
"""So many line breaks between two words end a paragraph, and a term with it."""
_REMEMBERED = 1 << 16
_Borders = tuple[set[int], set[int]]
"""Where words begin, and where they end."""
Fits = Callable[[int, int], bool]
"""Whether a hit may begin and end where it does."""


class Hit(NamedTuple):
    """A span of a text that a rule would label."""

    start: int
    end: int
    label: str


class DictionaryMatcher:
    """Finds the terms of dictionaries, in time linear in the text, whatever the number of terms.

    Words are compared in a view: NFC with one placement of tone marks, so that *Hòa*, *Hoà* and their decomposed forms are the
    same word, and case folded where the dictionary says so. The view is made word by word; spans are those of the raw words, so
    no change of length can move them. Words stand apart in the text as they do in the term (``38t`` is not ``38 t``), but
    any white space is as good as another, except an empty line.

    Args:
        dictionaries: The dictionaries.
        file: Where they come from, for errors.

    Raises:
        InputError: If a term has more than :data:`LONGEST_TERM` words or none; ``where`` names file, dictionary and term.
    """

    def __init__(self, dictionaries: Sequence[Dictionary], *, file: str = "viner.toml") -> None:
        self._tries: list[tuple[_Views, _Node]] = []
        for view in (_spelling, _folded):
            views, root = _Views(view), _Node()
            for index, dictionary in enumerate(dictionaries):
                if dictionary.ignore_case == (view is _folded):
                    for position, term in enumerate(dictionary.terms):
                        place = dictionary.place or f"rules.dictionaries[{index}]"
                        where = f"{file}: {place}.terms[{position}]"
                        _plant(root, views, term, dictionary.label, where)
            if root.next:
                self._tries.append((views, root))

    def find(self, text: str, words: Sequence[Span] | None = None, *, every: bool = False) -> list[Hit]:
        """The terms in a text.

        Of one label the longest term at the first word wins, and none of its hits overlap; those of different labels may.

        Args:
            text: The raw text.
            words: The document's own words, if it has some: then a hit begins and ends where they do.
            every: Give every occurrence of every term instead, whatever it overlaps.

        Returns:
            Hits in no particular order, each once.
        """
        if not self._tries:
            return []
        look = _all_matches if every else _matches
        hits: set[Hit] = set()
        own = split_words(text)
        for views, root in self._tries:
            spans = views.parts(text, own)
            borders = [_borders(those) for those in (None if spans is own else own, words) if those is not None]

            def fits(start: int, end: int, borders: Sequence[_Borders] = borders) -> bool:
                return all(start in starts and end in ends for starts, ends in borders)

            hits.update(look(root, views.keys(text, spans), spans, fits))
        return list(hits)


class _Node:
    """A node of a trie over words. ``labels`` are those of the terms that end here."""

    __slots__ = ("labels", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.labels: tuple[str, ...] = ()


class _Views:
    """Words as they are compared, remembered, since the words of a language are few."""

    def __init__(self, view: Callable[[str], str]) -> None:
        self._view = view
        self._known: dict[str, str] = {}

    def parts(self, text: str, words: list[Span]) -> list[Span]:
        """The words as they are looked up, the list itself if nothing is cut further.

        Words are cut at their case: 5g is two, 5G is one. Where case does not count, each of them is two.
        """
        if self._view is not _folded or not _CUT_BY_CASE.search(text):
            return words
        parts = []
        for start, end in words:
            if cut := _CUT_BY_CASE.match(text, start, end):
                parts.append((start, cut.end()))
                start = cut.end()
            parts.append((start, end))
        return parts

    def keys(self, text: str, spans: Sequence[Span]) -> Iterator[str]:
        """For each word its view, after a space where it stands apart, or two at the beginning of a paragraph."""
        last = -1
        for start, end in spans:
            word = text[start:end]
            view = self._known.get(word)
            if view is None:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                view = self._known[word] = self._view(word)
            if start != last:
                gap = text[last:start] if last >= 0 else ""
                view = ("  " if _breaks(gap) else " ") + view
            last = end
            yield view


def _borders(words: Sequence[Span]) -> _Borders:
    return {start for start, _ in words}, {end for _, end in words}


def _breaks(gap: str) -> bool:
    """Whether white space holds an empty line."""
    return gap.replace("\r\n", "\n").replace("\r", "\n").count("\n") >= _PARAGRAPH


def _plant(root: _Node, views: _Views, term: str, label: str, where: str) -> None:
    spans = views.parts(term, split_words(term))
    if not spans:
        raise InputError("the term has no word", where=where)
    if len(spans) > LONGEST_TERM:
        raise InputError(f"the term has {len(spans)} words", where=where, hint=f"A term has at most {LONGEST_TERM}")
    node = root
    for index, key in enumerate(views.keys(term, spans)):
        # What stands before the first word of a hit is not part of it.
        node = node.next.setdefault(key if index else key.lstrip(" "), _Node())
    if label not in node.labels:
        node.labels = (*node.labels, label)


def _matches(root: _Node, keys: Iterator[str], spans: Sequence[Span], fits: Fits) -> Iterator[Hit]:
    """Of each label the longest terms that fit from left to right, none of which overlap."""
    free: dict[str, int] = {}
    for first, found in _at_each_word(root, list(keys)):
        fitting = [(label, last) for label, last in found if fits(spans[first][0], spans[last][1])]
        for label, last in dict(fitting).items():  # the longest term of a label is its last one
            if free.get(label, 0) <= first:
                free[label] = last + 1
                yield Hit(spans[first][0], spans[last][1], label)


def _all_matches(root: _Node, keys: Iterator[str], spans: Sequence[Span], fits: Fits) -> Iterator[Hit]:
    for first, found in _at_each_word(root, list(keys)):
        for label, last in found:
            if fits(spans[first][0], spans[last][1]):
                yield Hit(spans[first][0], spans[last][1], label)


def _at_each_word(root: _Node, keys: Sequence[str]) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """For each word at which terms begin the label of each with its last word, shorter ones first."""
    for first, key in enumerate(keys):
        node = root.next.get(key.lstrip(" "))
        found: list[tuple[str, int]] = []
        last = first
        while node is not None:
            found += [(label, last) for label in node.labels]
            last += 1
            if last == len(keys):
                break
            node = node.next.get(keys[last])
        if found:
            yield first, found


def _spelling(word: str) -> str:
    return tone_style(word, "new")


def _folded(word: str) -> str:
    return tone_style(nfc(word).casefold(), "new")
