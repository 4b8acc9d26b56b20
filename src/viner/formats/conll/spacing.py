"""The text behind tokens: found in a text that the file gives, or rebuilt by the rules of typography."""

from __future__ import annotations

import re
from collections.abc import Sequence

from viner.document import Span

_CLOSING = frozenset(". , ; : ! ? ) ] } % … ... ” ’ » 、 。 ， ； ： ！ ？ ） 】 」 』 》 ''".split())
_OPENING = frozenset("( [ { “ ‘ « „ （ 【 「 『 《 ``".split())
_CLITIC = re.compile(r"(?:['’](?:s|d|m|t|re|ve|ll)|n['’]t)", re.IGNORECASE)
# Han, kana, bopomofo, their punctuation and full-width forms; Hangul writes spaces.
_SOLID = re.compile("[\u2e80-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_STRAIGHT = '"'

# What a line of columns cannot hold as it is; each stands for one code point, so offsets are the same on both sides.
_SAFE = str.maketrans({"\0": "\ufffd", "\t": " ", "\n": " ", "\r": " "})


def safe(text: str) -> str:
    """The text with tabs and line ends as spaces and zero characters as U+FFFD, code point for code point."""
    return text.translate(_SAFE)


def rebuild(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """Joins tokens to a text and tells where each one stands.

    One space parts them, except before closing and after opening punctuation, inside a pair of straight quotes, before
    English clitics, and beside characters of scripts that write no spaces. Dashes and slashes keep their spaces, since a
    file that holds ``27 - 7`` does not say whether its source did.
    """
    parts: list[str] = []
    spans: list[Span] = []
    length = 0
    glued = True
    quoted = False
    for token in tokens:
        closes_quote = token == _STRAIGHT and quoted
        solid = bool(parts) and (_SOLID.match(token) is not None or _SOLID.match(parts[-1][-1]) is not None)
        if not (glued or closes_quote or solid or token in _CLOSING or _CLITIC.fullmatch(token)):
            parts.append(" ")
            length += 1
        parts.append(token)
        spans.append((length, length + len(token)))
        length += len(token)
        opens_quote = token == _STRAIGHT and not quoted
        if token == _STRAIGHT:
            quoted = not quoted
        glued = token in _OPENING or opens_quote
    return "".join(parts), spans


def locate(tokens: Sequence[str], text: str) -> list[Span] | None:
    """Finds the tokens in a text, in order, with nothing but spaces between them; None when text and tokens differ."""
    plain = safe(text)
    spans: list[Span] = []
    position = 0
    for token in tokens:
        # A token may begin with a space, or be one; so the exact place comes first.
        start = position
        if not plain.startswith(token, start):
            while start < len(plain) and plain[start].isspace():
                start += 1
        if plain.startswith(token, start):
            end = start + len(token)
        else:
            found = _match_loosely(token, plain, start)
            if found is None:
                return None
            end = found
        spans.append((start, end))
        position = end
    return spans if not plain[position:].strip() else None


def _match_loosely(token: str, text: str, start: int) -> int | None:
    """End of the token at ``start`` when they differ in spaces inside only, as where a line was wrapped."""
    parts = token.split()
    if len(parts) < 2:
        return None
    match = re.compile(r"\s+".join(map(re.escape, parts))).match(text, start)
    return None if match is None else match.end()
