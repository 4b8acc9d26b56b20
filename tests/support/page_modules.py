"""The modules of the static page under Node: what they answer to questions from Python."""

from __future__ import annotations

import json
import random
import subprocess
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.node import need_node

ASK = Path(__file__).parents[1] / "publishing" / "js" / "ask.mjs"

TEXTS = [
    "",
    " \n\t ",
    "Lan ở Hà Nội.",
    "Bệnh nhân 😷 Nguyễn Văn A ở Hà Nội.",
    unicodedata.normalize("NFD", "Bệnh nhân 😷 Nguyễn Văn A ở Hà Nội, đi Huế rồi về Paris."),
    "Lan\r\nở\r\nHà Nội\rrồi Huế\u2028và Paris\x85Nam",
    "hòa hoà HÒA khoẻ khỏe thúy thuý quý qúy Hoà-Bình",
    "BN990-993, 38t, 34yo, 5mg, 4h30, 29B, 3G, 1-6/8, m², COVID-19!",
    "👩‍⚕️👨‍👩‍👧‍👦🏳️‍🌈🇻🇳🇻🇳🇫🇷 👍🏽🏽 a🏽 \u200d\U0001f3fb ❤️",
    "مرحبا Lan في باريس ٣٨ שלום Minh ב-Huế \u0600\u0661 \u061c",
    "สวัสดี ชาวไทย ไม่ได้ น้ำ aำ ຳ ພາສາລາວ ខ្មែរ မြန်မာ 東京タワー｡ ｶﾞ 한국어 각",
    "क्षत्रिय हिन्दी কর্ম தமிழ் \u0915\u094d\u0937",
    "-----------" * 9 + "..." + "!!!?" + "((( )))" + "''''" + "====",
    "x" * 200 + "é" * 70 + "e\u0301" * 90 + "ab\u0301\u0302\u0303\u0304" * 40,
    "a" + "\u0301" * 300 + " \u0301\u0302 b",
    "ﬁ ﬃ ① ½ Ⅷ ㎏ ™ ª º ￥ ｆｕｌｌ ¨ ´ \u00ad \u200b \ufeff \u2060 \ufffd \ue000 \U000e0041 \U0010ffff",
    "</s> <unk> [MASK] ▁▁Lan ▁ Ġ ## @@ <0x41>",
    "it's I'll we've 'tis don\u2019t O'Brien \"Lan\" «Nam» “Huế”",
    "1234567890123 ١٢٣ ๑๒๓ 12abc 5Mg 7é 8É ₫5.000.000 50% $3",
    "\x00 \x01 \x1c \x7f \u2029 tab\tend",
    "Lan, Nam và Minh ở Hà Nội; Nguyễn Văn A từ Huế đến Paris. " * 12,
]
"""Texts in which words, characters or pieces are not what one might expect."""

_BLOCKS = [
    (0x20, 0x7F), (0xA0, 0x250), (0x250, 0x370), (0x300, 0x370), (0x370, 0x530), (0x530, 0x700), (0x700, 0xA00),
    (0x900, 0xE00), (0xE00, 0x1000), (0x1000, 0x1200), (0x1100, 0x1200), (0x1200, 0x1800), (0x1800, 0x1E00),
    (0x1AB0, 0x1B80), (0x1E00, 0x2000), (0x2000, 0x2100), (0x20D0, 0x2200), (0x2200, 0x2C00), (0x2C00, 0x3000),
    (0x3000, 0x3400), (0x4E00, 0x4F00), (0xA000, 0xAC00), (0xAC00, 0xD7A4), (0xF900, 0xFB50), (0xFB50, 0xFE00),
    (0xFE00, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000), (0x16A00, 0x17000), (0x1D000, 0x1D800),
    (0x1E000, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x20100), (0xE0000, 0xE0200),
]  # fmt: skip
_COMMON = "aeouyđĐIİıſAnhtg0159 .-'▁\u0301\u0323\u0302\u200d\u200c\u0600\u0e33\u093f\u094d\u1161\u11a8\ufe0f"


def random_texts(count: int, seed: int, *, longest: int = 12) -> list[str]:
    """Random texts of many scripts, unassigned and rare characters included; no surrogates."""
    draw = random.Random(seed)
    texts = []
    for _ in range(count):
        blocks = draw.choices(_BLOCKS, k=draw.randint(1, 2))
        letters = []
        for _ in range(draw.randint(1, longest)):
            letters.append(draw.choice(_COMMON) if draw.random() < 0.35 else chr(draw.randrange(*draw.choice(blocks))))
        texts.append("".join(letters))
    return texts


def page_modules(folder: Path) -> Path:
    """The modules of the page in a folder that Node takes for modules."""
    from viner.publishing.static import page_modules

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in page_modules().items():
        (folder / name).write_bytes(content)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    return folder


def ask(modules: Path, questions: dict[str, Any], **known: Any) -> dict[str, Any]:
    """What the modules answer.

    Args:
        modules: What :func:`page_modules` gave.
        questions: For each function of ``ask.mjs`` its argument.
        known: ``tables``, ``rules`` and ``model``, as far as the questions need them.
    """
    node = need_node("the page's modules are compared with Python under it")
    request = json.dumps({**known, "questions": questions})
    run = subprocess.run([node, ASK, modules], input=request, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    return json.loads(run.stdout)


def pairs(flat: Sequence[int]) -> list[tuple[int, int]]:
    """Spans from their borders one after the other."""
    return list(zip(flat[::2], flat[1::2], strict=True))
