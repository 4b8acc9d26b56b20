"""A tokenizer as a static page reads it: all that can be worked out here is, and what cannot be said is refused.

``tokenizer.json`` names components whose behavior lies in the code of `tokenizers` and in its age of Unicode. What such a
component does to each character by itself is asked of it, character by character, and becomes a table. Only what needs more
than one character is left to the page (see ``page/``): merging, matching, composing, and SentencePiece's compiled map.
"""

from __future__ import annotations

import base64
import json
import string
import struct
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from tokenizers import normalizers, pre_tokenizers

from viner.encoding import PieceEncoder
from viner.publishing.characters import classified, codes, compositions, is_hangul, members, replacements
from viner.publishing.folder import PublishError

Part = dict[str, Any]

_SINGLE = {
    "BertNormalizer": lambda part: normalizers.BertNormalizer(
        part["clean_text"], part["handle_chinese_chars"], part["strip_accents"], part["lowercase"]
    ),
    "Lowercase": lambda part: normalizers.Lowercase(),
    "Nmt": lambda part: normalizers.Nmt(),
    "StripAccents": lambda part: normalizers.StripAccents(),
}
"""Normalizers that treat every character by itself."""
_FORMS = {"NFC": normalizers.NFC, "NFD": normalizers.NFD, "NFKC": normalizers.NFKC, "NFKD": normalizers.NFKD}
_SPACES = " {2,}"
"""The one regular expression that normalizers replace by, as far as anybody has seen."""
_REMEDY = "Publish it as a Space or a container instead: viner publish space, viner publish docker"


def describe(encoder: PieceEncoder) -> dict[str, Any]:
    """What a page must know to cut words into the same pieces.

    Args:
        encoder: The encoder of the model.

    Raises:
        PublishError: If the tokenizer has a part that the page does not know.
    """
    rules = encoder.rules()
    state = rules.tokenizer
    _check_added(state.get("added_tokens") or ())
    return {
        "views": list(encoder.views),
        "mark": rules.mark,
        "prefix": list(encoder.prefix),
        "suffix": list(encoder.suffix),
        "capacity": encoder.capacity,
        "unknown": rules.unknown,
        "vocabulary": rules.vocabulary if rules.vocabulary < 1 << 53 else None,
        "forbidden": sorted(rules.forbidden),
        "normalizers": [_normalizer(json.dumps(part)) for part in _parts(state.get("normalizer"), "normalizers")],
        "splitters": [_splitter(json.dumps(part)) for part in _parts(state.get("pre_tokenizer"), "pretokenizers")],
        "model": _model(state["model"]),
    }


def _parts(component: Part | None, inner: str) -> Iterator[Part]:
    if component is None:
        return
    if component["type"] == "Sequence":
        for part in component[inner]:
            yield from _parts(part, inner)
    else:
        yield component


def _refused(what: str) -> PublishError:
    return PublishError(f"a web page cannot cut words as this model's tokenizer does: {what}", hint=_REMEDY)


def _check_added(added: Any) -> None:
    """Refuses pieces that somebody added and that could stand in a word: `tokenizers` looks for them before all else."""
    for token in added:
        content = token["content"]
        borders = pairwise(content)
        # A word never holds white space, nor a letter beside a sign, both of ASCII.
        apart = any(one.isspace() for one in content[1:]) or any(
            {_kind(one), _kind(other)} == {"letter", "sign"} for one, other in borders
        )
        if not token["special"] and not apart:
            raise _refused(f"it has the added piece {content!r}")


def _kind(char: str) -> str:
    if char in string.ascii_letters + string.digits:
        return "letter"
    return "sign" if char in string.punctuation else "other"


@cache
def _normalizer(description: str) -> Part:
    """What the page makes of a normalizer, which is described in JSON."""
    part = json.loads(description)
    kind = part["type"]
    if kind in _SINGLE:
        return {"type": "Characters", **replacements(_SINGLE[kind](part).normalize_str)}
    if kind in _FORMS:
        return {"type": "Form", "compose": kind.endswith("C"), **_form(kind)}
    if kind == "Precompiled":
        return {"type": "Precompiled", "map": part["precompiled_charsmap"], "apart": sorted(_apart())}
    if kind == "Strip":
        spaces = normalizers.Strip()
        return {
            "type": "Strip",
            "left": part["strip_left"],
            "right": part["strip_right"],
            "spaces": classified(lambda char: not spaces.normalize_str(char)),
        }
    if kind == "Replace":
        pattern = part["pattern"]
        if "String" in pattern:
            return {"type": "Replace", "from": pattern["String"], "to": part["content"]}
        if pattern.get("Regex") == _SPACES:
            return {"type": "Spaces", "to": part["content"]}
        raise _refused(f"its normalizer replaces by the regular expression {pattern.get('Regex')!r}")
    raise _refused(f"it has a normalizer of type {kind}")


def _form(kind: str) -> Part:
    """How a normalization form of `tokenizers` differs from the canonical one of this Python."""
    decompose = _FORMS[kind.replace("C", "D")]().normalize_str
    compose = normalizers.NFC().normalize_str
    order = normalizers.NFD().normalize_str
    changed = {}
    for code in codes():
        char = chr(code)
        if not is_hangul(code) and decompose(char) != unicodedata.normalize("NFD", char):
            changed[char] = decompose(char)
    # Characters younger than the library: it neither composes them nor knows in which order they belong.
    unmade = [code for first, second, code in compositions() if compose(chr(first) + chr(second)) != chr(code)]
    overlay = "\u0334"  # class 1: every mark of a higher class stands behind it
    unordered = [
        code for code in codes() if unicodedata.combining(chr(code)) > 1 and order(f"a{chr(code)}{overlay}")[1] != overlay
    ]
    return {"changed": changed, "unmade": unmade, "unordered": unordered}


@cache
def _apart() -> frozenset[int]:
    """Characters that extend the one before them here, and are younger than the Unicode of `tokenizers`, where they do not.

    Asked through a compiled map that turns ``a`` into ``b``: it is applied to the first character of a short cluster and the
    rest of the cluster is lost, so ``a`` with a mark becomes ``b``.
    """
    joins = normalizers.Precompiled(_tiny_map()).normalize_str
    here = members("extend") | members("spacing") | members("joiner")
    return frozenset(code for code in here if joins(f"a{chr(code)}") != "b")


def _tiny_map() -> bytes:
    """SentencePiece's compiled map with the one entry a → b: a double-array trie in units of 32 bits, then the texts."""
    root, leaf = 256, 512
    units = [0] * 768
    units[0] = root << 10
    units[root ^ ord("a")] = ord("a") | 1 << 8 | (root ^ ord("a") ^ leaf) << 10
    units[leaf] = 1 << 31  # the text at 0
    return struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + b"b\0"


@cache
def _splitter(description: str) -> Part:
    """What cuts a word before the model sees it, described in JSON."""
    kind = json.loads(description)["type"]
    if kind == "Metaspace":  # the encoder put it there, so its options are known
        return {"type": "Metaspace"}
    if kind == "ByteLevel":
        return {"type": "ByteLevel", "classes": classified(_byte_level_class(pre_tokenizers.ByteLevel(add_prefix_space=False)))}
    splitters: dict[str, Callable[[], Any]] = {
        "BertPreTokenizer": pre_tokenizers.BertPreTokenizer,
        "WhitespaceSplit": pre_tokenizers.WhitespaceSplit,
        "Whitespace": pre_tokenizers.Whitespace,
    }
    if kind not in splitters:
        raise _refused(f"it has a pre-tokenizer of type {kind}")
    return {"type": "Classes", "classes": classified(_word_class(splitters[kind]()))}


TOGETHER, GONE, ALONE, SIGNS = range(4)


def _word_class(splitter: Any) -> Callable[[str], int]:
    def classify(char: str) -> int:
        parts = [part for part, _ in splitter.pre_tokenize_str(f"a{char}a")]
        if len(parts) == 1:
            return TOGETHER
        if len(parts) == 2:
            return GONE
        return SIGNS if len(splitter.pre_tokenize_str(f"!{char}!")) == 1 else ALONE

    return classify


def _byte_level_class(splitter: Any) -> Callable[[str], int]:
    """Letters 0, numbers 1, white space 2, all others 3, as the regular expression of GPT-2 tells them apart."""

    def classify(char: str) -> int:
        for kind, neighbor in ((0, "a"), (1, "1"), (3, "!")):
            if len(splitter.pre_tokenize_str(neighbor + char)) == 1:
                return kind
        return 2

    return classify


def _model(model: Part) -> Part:
    kind = model["type"]
    if kind == "Unigram":
        scores = np.array([score for _, score in model["vocab"]], dtype="<f8")
        short = scores.astype("<f4")
        exact = bool((short == scores).all())
        return {
            "type": "Unigram",
            "pieces": [piece for piece, _ in model["vocab"]],
            "scores": base64.b64encode((short if exact else scores).tobytes()).decode(),
            "wide": not exact,
            "unknown": model["unk_id"],
            "bytes": bool(model.get("byte_fallback")),
        }
    if kind == "BPE":
        return _merging(model)
    if kind == "WordPiece":
        return {
            "type": "WordPiece",
            "pieces": _by_id(model["vocab"]),
            "unknown": model["vocab"][model["unk_token"]],
            "prefix": model["continuing_subword_prefix"],
            "longest": model["max_input_chars_per_word"],
        }
    raise _refused(f"its model is of type {kind}")


def _merging(model: Part) -> Part:
    if model.get("dropout"):
        raise _refused("it leaves out merges at random (dropout)")
    ids, prefix = model["vocab"], model.get("continuing_subword_prefix") or ""
    merges: list[int] = []
    for pair in model["merges"]:
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        merges += (ids[left], ids[right], ids[left + right.removeprefix(prefix)])
    unknown = model.get("unk_token")
    return {
        "type": "BPE",
        "pieces": _by_id(ids),
        "merges": merges,
        "unknown": None if unknown is None else ids[unknown],
        "fuse": bool(model.get("fuse_unk")),
        "bytes": bool(model.get("byte_fallback")),
        "prefix": prefix,
        "suffix": model.get("end_of_word_suffix") or "",
        "whole": bool(model.get("ignore_merges")),
    }


def _by_id(ids: dict[str, int]) -> list[str | None]:
    pieces: list[str | None] = [None] * (max(ids.values(), default=-1) + 1)
    for piece, index in ids.items():
        pieces[index] = piece
    return pieces
