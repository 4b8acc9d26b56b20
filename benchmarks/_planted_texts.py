"""Random Unicode texts with one entity each, at a known offset.

They mix scripts, emoji with joiners, NFD, CRLF, right-to-left marks, zero-width characters, stacked combining marks, line and
paragraph separators, control characters, long runs, markup of tokenizers and formats, and any other code point.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

from viner.document import Document, Entity

SEED = 20_260_101

SENTINELS = [("Paris",), ("Huế",), ("Lan",), ("Minh",), ("Hà", "Nội"), ("Nguyễn", "Văn", "A")]
LABEL_OF = {"Paris": "LOCATION", "Huế": "LOCATION", "Hà": "LOCATION", "Lan": "PERSON", "Minh": "PERSON", "Nguyễn": "PERSON"}
INNER_SPACES = [" ", " ", "  ", "\xa0", "\u3000", "\t"]
SPACES = [" ", " ", " ", "  ", "\n", "\r\n", "\r", "\t", "\xa0", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\u3000", "\u2009"]
# What may touch the entity: signs that are words by themselves, or characters of scripts without spaces.
BORDERS = [*SPACES, *".,-/(«“'_#@€", *"😷 👨‍👩‍👧‍👦 🇻🇳 中 の ก".split(), "\u200b", "\ufeff"]
SMALL_LETTERS = "abcdefghijklmnopqrstuvwxyzàáảãạăâđèéêìòôơùưỳ"
# Without the capitals that begin planted words, so that no noise can be one of them.
SAFE_CAPITALS = "BCDEFGIJKOQRSTUWXYZĐÔƯ"
EMOJI = "😷 👨‍👩‍👧‍👦 👩🏽‍⚕️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇻🇳 🇬🇧 1️⃣ ❤️‍🔥 👍🏿 ☎︎ 🫱🏻‍🫲🏿".split()
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202b\u202c\u2066\u2069"
MARKUP = [*r"</s> <s> <unk> [SEP] [UNK] ##a ▁ &amp; <b> -DOCSTART- B-PERSON \[ ](PERSON)".split(), "# text = "]
RANGES = {
    "hebrew": (0x5D0, 0x5EA),
    "arabic": (0x621, 0x64A),
    "greek": (0x3B1, 0x3C9),
    "cyrillic": (0x430, 0x44F),
    "han": (0x4E00, 0x9FA5),
    "han beyond the first plane": (0x20000, 0x2A6D6),
    "kana": (0x3041, 0x30FE),
    "hangul": (0xAC00, 0xD7A3),
    "jamo": (0x1100, 0x11FF),
    "thai": (0xE01, 0xE4E),
    "khmer": (0x1780, 0x17D2),
    "devanagari": (0x904, 0x94D),
    "old script of the second plane": (0x10400, 0x1044F),
}


def _word(rng: random.Random) -> str:
    return "".join(rng.choices(SMALL_LETTERS, k=rng.randint(1, 9)))


def _script(rng: random.Random) -> str:
    first, last = RANGES[rng.choice(list(RANGES))]
    return "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 8)))


def _any_code_points(rng: random.Random) -> str:
    """Whatever UTF-8 can hold, unassigned and private ones, controls and noncharacters included."""
    found = []
    for _ in range(rng.randint(1, 5)):
        point = rng.randint(0, 0x10FFFF)
        found.append(chr(point if not (0xD800 <= point <= 0xDFFF or chr(point).isascii()) else 0xFFFD))
    return "".join(found)


NOISE: list[Callable[[random.Random], str]] = [
    _word,
    _word,
    _word,
    lambda rng: unicodedata.normalize("NFD", _word(rng)),
    lambda rng: rng.choice(SAFE_CAPITALS) + _word(rng),
    lambda rng: f"BN{rng.randint(1, 9999)}-{rng.randint(1, 999)}",
    lambda rng: f"{rng.randint(1, 31)}/{rng.randint(1, 12)}",
    lambda rng: rng.choice(EMOJI),
    lambda rng: rng.choice(ZERO_WIDTH),
    lambda rng: rng.choice(MARKUP),
    lambda rng: "a" + "".join(chr(rng.randint(0x300, 0x36F)) for _ in range(rng.randint(1, 25))),
    lambda rng: chr(rng.randint(0x300, 0x36F)),
    lambda rng: rng.choice(["x", "=", ".", "中", "😷", "a\u0301", "\u0e49"]) * rng.randint(30, 200),
    lambda rng: chr(rng.choice([*range(1, 9), *range(14, 32), 127, 0x80, 0x9F])),
    lambda rng: "".join(rng.choices(".,;:!?()[]{}\"'-_/\\|@#%&*+=~^`$", k=rng.randint(1, 4))),
    _script,
    _script,
    _any_code_points,
]


def plant(index: int) -> Document:
    """Text number ``index`` with its entity; the same one in every run."""
    rng = random.Random(SEED + index)
    # Mostly short; one in fifty spans several windows, one in a thousand dozens.
    items = rng.randint(150, 300) if index % 1000 == 7 else rng.randint(20, 40) if index % 50 == 3 else rng.randint(0, 8)
    where = rng.randint(0, items)
    before, after = _noise(rng, where), _noise(rng, items - where)
    words = rng.choice(SENTINELS)
    surface = rng.choice(INNER_SPACES).join(words)
    if rng.random() < 0.3:
        surface = unicodedata.normalize("NFD", surface)
    # Nothing but a border may touch it; at the edge of the text nothing need to.
    left = "" if not before and rng.random() < 0.5 else rng.choice(BORDERS)
    right = "" if not after and rng.random() < 0.5 else rng.choice(BORDERS)
    start = len(before) + len(left)
    text = before + left + surface + right + after
    return Document(text, id=str(index), entities=[Entity(start, start + len(surface), LABEL_OF[words[0]])])


def entity(document: Document) -> tuple[int, int, str]:
    """The planted entity: start, end, label."""
    (found,) = document.entities or ()
    return found.start, found.end, found.label


def _noise(rng: random.Random, items: int) -> str:
    return "".join(rng.choice(NOISE)(rng) + (rng.choice(SPACES) if rng.random() < 0.6 else "") for _ in range(items))
