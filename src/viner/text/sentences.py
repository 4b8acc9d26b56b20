"""Splitting raw text into sentences: units for training and display, never a boundary of what a model may see."""

from __future__ import annotations

import regex

from viner.document import Span

_CLOSING = r"[\p{Pe}\p{Pf}\p{Pi}\"'*]*+"
_BREAK = regex.compile(
    rf"""
    (?P<line>[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]++)
  | (?P<full>[。！？｡]++{_CLOSING})                                 # needs no space after it
  | (?<![.!?…])(?P<stop>[.!?…؟।॥։።။៕]++){_CLOSING}(?=\s)
    """,
    regex.VERBOSE,
)
_WORD_BEFORE = regex.compile(r"[\p{L}\p{M}\p{N}.]*\Z")
_INITIALS = regex.compile(r"\p{L}\p{M}*(?:\.\p{L}\p{M}*)*")
_LOWER_NEXT = regex.compile(r"\s++[\p{Ps}\p{Pi}\p{Pf}\"'–—-]*+\s*+\p{Ll}")
_DIGIT_NEXT = regex.compile(r"\s+\d")
_NUMBERING = regex.compile(r"\s*\(?\d{1,3}\Z")
_NOT_SPACE = regex.compile(r"[^\s\x1c-\x1f]")  # spaces are those of str.isspace

# Abbreviations after which a new sentence hardly ever begins, without their full stop, folded to lower case.
_ABBREVIATIONS = frozenset(
    # Vietnamese: places, institutions, titles
    "tp tx tt bv bn đ đc gs ts pgs ths bs gđ tgđ ubnd tnhh cty ks cn ck st kp kdc ql tl hl sn sđt nxb ttyt vs vd"
    # English: titles, references, companies
    " mr mrs ms dr prof rev gen col sgt capt lt hon sen rep gov jr sr mt approx dept univ bros e.g i.e cf"
    # German, French, Spanish
    " nr bzw ca hr fr str z.b d.h u.a mme mlle sra srta dña dra av".split()
)
# Those that are common words or ends of sentences too: they abbreviate only where a digit follows.
_ABBREVIATIONS_BEFORE_NUMBERS = frozenset(
    "no nos fig art sec vol p pp ft q số jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_LONGEST_ABBREVIATION = 12


def split_sentences(text: str) -> list[Span]:
    """Splits a text into sentences, without knowledge of its language.

    A line break always ends a sentence. A full stop ends one where white space follows, no lower-case letter comes next, and
    what stands before it is neither an initial (``N.V.T.``), a common abbreviation (``TP.``, ``BV.``, ``Mr.``) nor a numbering
    (``1.``).

    Returns:
        ``(start, end)`` of each sentence in code points, in order, without white space at its ends; none is empty.
    """
    spans: list[Span] = []
    start = 0
    for match in _BREAK.finditer(text):
        if match["stop"] is not None and not _ends_sentence(text, start, match):
            continue
        _append_trimmed(spans, text, start, match.end())
        start = match.end()
    _append_trimmed(spans, text, start, len(text))
    return spans


def _ends_sentence(text: str, start: int, match: regex.Match[str]) -> bool:
    if _LOWER_NEXT.match(text, match.end()):
        return False
    if match["stop"] != ".":
        return True
    stop = match.start()
    before = _WORD_BEFORE.search(text, max(start, stop - _LONGEST_ABBREVIATION), stop)
    word = before[0] if before else ""
    folded = word.lower()
    if folded in _ABBREVIATIONS or _INITIALS.fullmatch(word):
        return False
    if folded in _ABBREVIATIONS_BEFORE_NUMBERS and _DIGIT_NEXT.match(text, match.end()):
        return False
    return not (stop - start < 8 and _NUMBERING.fullmatch(text, start, stop))


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    first = _NOT_SPACE.search(text, start, end)
    if first is None:
        return
    while text[end - 1].isspace():
        end -= 1
    spans.append((first.start(), end))
