"""Words to pieces with any Hugging Face tokenizer, word by word.

A tokenizer is never asked where its pieces lie in the text: each word is cut into pieces by itself, so a piece always belongs
to exactly one word and the word's span is the exact offset. Views (NFC, tone-mark style) are applied to the word on its way
to the tokenizer; the text stays as it is.

What a word needs to look like depends on how the tokenizer marks spaces: SentencePiece writes ``▁`` before a word that
follows a space, byte-level BPE a space, WordPiece nothing. Words that touch the word before them (``COVID``, ``-``, ``19``) get
no mark, as in running text.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel, Metaspace

from viner.document import Span
from viner.encoding.phobert import load_phobert
from viner.errors import BundleError, InputError
from viner.text import LONGEST_WORD, normalize

DEFAULT_POSITIONS = 512
"""Used where neither the model nor its tokenizer declares a limit."""

SEGMENTS = "segments"
"""The view of models that learned from segmented text: ``bệnh viện`` as ``bệnh_viện``."""

_SPACES = re.compile(r"\s+")
_SYLLABLE = re.compile(r"\S+")
_VIEWS: dict[str, Callable[[str], str]] = {
    "nfc": normalize.nfc,
    "tone-new": lambda word: _SYLLABLE.sub(lambda syllable: normalize.tone_style(syllable[0], "new"), word),
    "tone-old": lambda word: _SYLLABLE.sub(lambda syllable: normalize.tone_style(syllable[0], "old"), word),
    SEGMENTS: lambda word: _SPACES.sub("_", word),
}
_INSIDE_SEGMENT = re.compile(r"[^\W\d_]_[^\W\d_]")
_SEGMENTS_SHARE = 0.01
_CACHE_SIZE = 200_000
_LONGEST_KEPT = LONGEST_WORD + 1
"""Code points of a word, with its mark, whose pieces are kept: documents may bring words of any length."""
# Models whose position ids start behind the padding id (transformers' create_position_ids_from_input_ids).
_OFFSET_POSITIONS = {
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "longformer",
    "mpnet",
    "data2vec-text",
    "roberta-prelayernorm",
    "xmod",
    "ibert",
    "luke",
    "lilt",
    "markuplm",
}


@dataclass(frozen=True, slots=True)
class EncodedText:
    """Pieces of a text, without special pieces.

    Args:
        words: Spans of the words in code points.
        pieces: *Shape:* (pieces,). Vocabulary ids of all words in text order.
        offsets: *Shape:* (words + 1,). Index of each word's first piece, then the number of pieces.
            Every word has at least one.
    """

    words: Sequence[Span]
    pieces: NDArray[np.int32]
    offsets: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class PieceRules:
    """All that decides how words become pieces, for encoders in other languages.

    Args:
        tokenizer: The tokenizer in the form of ``tokenizer.json``, as it is asked word by word.
        mark: What a word that follows a space, and a text's first word, begins with; it may be empty.
        unknown: The piece of a word that has none, and in the place of those that the model does not know.
        vocabulary: Pieces that the model has embeddings for.
        forbidden: Special pieces that a text may spell and never is.
    """

    tokenizer: dict[str, Any]
    mark: str
    unknown: int
    vocabulary: int
    forbidden: frozenset[int]


class PieceEncoder:
    """Cuts words into pieces of a model's vocabulary.

    Args:
        tokenizer: Any tokenizer of the ``tokenizers`` library. It is changed: take one that nobody else uses.
        max_pieces: Pieces that the model can read at once, special pieces included.
        views: Names of the views each word passes through, in order: "nfc", "tone-new", "tone-old", "segments".
        pad: The piece that fills up batches.
        vocabulary: Pieces that the model has embeddings for; ids from there on become the unknown piece. None takes all.

    Raises:
        InputError: If a view is unknown, or ``max_pieces`` leaves no room for text.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        max_pieces: int,
        views: Sequence[str] = ("nfc",),
        pad: int = 0,
        vocabulary: int | None = None,
    ) -> None:
        unknown = [view for view in views if view not in _VIEWS]
        if unknown:
            raise InputError(f"unknown view {unknown[0]!r}", hint=f"Views: {', '.join(_VIEWS)}")
        self.views = tuple(views)
        self.max_pieces = max_pieces
        self.pad = pad
        self.prefix, self.suffix = _special_pieces(tokenizer)
        self.capacity = max_pieces - len(self.prefix) - len(self.suffix)
        if self.capacity < 1:
            raise InputError(f"a model that reads {max_pieces} pieces has no room for text beside its special pieces")
        state = json.loads(tokenizer.to_str())
        self._mark = _mark_spaces_ourselves(tokenizer, state)
        self._tokenizer = tokenizer
        self._unknown = _unknown_piece(tokenizer, state["model"])
        self._vocabulary = vocabulary or sys.maxsize
        # encode_special_tokens keeps "</s>" in a text from becoming one special piece, but not a model whose own vocabulary
        # holds it as well, as Unigram ones do.
        self._forbidden = {token["id"] for token in state.get("added_tokens", ()) if token["special"]}
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def from_folder(cls, folder: str | Path, *, views: Sequence[str] = ("nfc",), max_pieces: int | None = None) -> PieceEncoder:
        """Reads the tokenizer and the limits of a model folder: ``tokenizer.json``, or PhoBERT's ``vocab.txt`` + ``bpe.codes``.

        Args:
            folder: The model folder.
            views: Names of the views each word passes through.
            max_pieces: Read at most so many pieces at once, even where the model could read more.

        Raises:
            BundleError: If the folder has neither, or one that cannot be read.
        """
        folder = Path(folder)
        config = _read_json(folder / "config.json")
        tokenizer = load_tokenizer(folder)
        limit = position_limit(config, _read_json(folder / "tokenizer_config.json"))
        limit = limit if max_pieces is None else min(limit, max_pieces)
        pad, vocabulary = int(config.get("pad_token_id") or 0), config.get("vocab_size")
        return cls(tokenizer, max_pieces=limit, views=views, pad=pad, vocabulary=vocabulary)

    def rules(self) -> PieceRules:
        """How words become pieces, beside ``views``, ``capacity``, ``prefix`` and ``suffix``."""
        state = json.loads(self._tokenizer.to_str())
        return PieceRules(state, self._mark, self._unknown, self._vocabulary, frozenset(self._forbidden))

    def encode(self, text: str, words: Sequence[Span], *, spaced: bool = False) -> EncodedText:
        """Cuts the words of a text into pieces.

        Args:
            text: The raw text.
            words: Spans of its words in order.
            spaced: Treat every word as if a space stood before it, whatever the text has there.
        """
        mark = self._mark
        keys = []
        last = -1
        for start, end in words:
            word = text[start:end]
            keys.append(word if start == last and not spaced else mark + word)
            last = end
        cache = self._cache
        missing = [key for key in dict.fromkeys(keys) if key not in cache]
        if missing:
            found = dict(zip(missing, self._cut(missing), strict=True))
            lasting = {key: pieces for key, pieces in found.items() if len(key) <= _LONGEST_KEPT}
            if len(cache) + len(lasting) > _CACHE_SIZE:
                # A fresh dict instead of clear(): other threads may be reading the old one.
                self._cache = {}
            self._cache.update(lasting)
            cache = {key: found[key] if key in found else cache[key] for key in keys}
        per_word = [cache[key] for key in keys]
        offsets = np.zeros(len(words) + 1, dtype=np.int32)
        np.cumsum([len(pieces) for pieces in per_word], out=offsets[1:])
        pieces = np.fromiter(chain.from_iterable(per_word), dtype=np.int32, count=int(offsets[-1]))
        return EncodedText(words, pieces, offsets)

    def _cut(self, keys: Sequence[str]) -> Iterable[tuple[int, ...]]:
        mark = self._mark
        viewed = []
        for key in keys:
            # The mark is ours: a view must see the word alone.
            prefix, word = (mark, key[len(mark) :]) if mark and key.startswith(mark) else ("", key)
            for view in self.views:
                word = _VIEWS[view](word)
            viewed.append([prefix + word])
        for encoding in self._tokenizer.encode_batch(viewed, is_pretokenized=True, add_special_tokens=False):
            # A word without any piece (a lone joiner, say) still needs a place to be answered at; a word that is longer than
            # a window is answered from its beginning.
            ids = encoding.ids[: self.capacity]
            yield tuple(map(self._allowed, ids)) or (self._unknown,)

    def _allowed(self, piece: int) -> int:
        return self._unknown if piece >= self._vocabulary or piece in self._forbidden else piece


def load_tokenizer(folder: str | Path) -> Tokenizer:
    """The tokenizer of a model folder, as a fresh object.

    Raises:
        BundleError: If there is none, or it cannot be read.
    """
    folder = Path(folder)
    path = folder / "tokenizer.json"
    try:
        if path.is_file():
            return Tokenizer.from_file(str(path))
        if (folder / "bpe.codes").is_file() and (folder / "vocab.txt").is_file():
            return load_phobert(folder / "vocab.txt", folder / "bpe.codes")
    except Exception as error:  # the tokenizers library raises bare Exception for a file that it cannot parse
        raise BundleError(f"the tokenizer cannot be read ({error})", where=folder) from error
    raise BundleError(
        "no tokenizer that viner can read",
        where=folder,
        hint="It needs tokenizer.json, or PhoBERT's vocab.txt with bpe.codes; "
        "AutoTokenizer.from_pretrained(…).save_pretrained(folder) writes the former",
    )


def learned_segments(tokenizer: Tokenizer) -> bool:
    """Whether a vocabulary was made of segmented text: one in a hundred of its pieces, or more, has a ``_`` between letters."""
    vocabulary = tokenizer.get_vocab()
    return sum(_INSIDE_SEGMENT.search(piece) is not None for piece in vocabulary) >= _SEGMENTS_SHARE * len(vocabulary) > 0


def position_limit(config: dict[str, Any], tokenizer_config: dict[str, Any] | None = None) -> int:
    """Pieces that a model can read at once, special pieces included.

    Args:
        config: The model's ``config.json``.
        tokenizer_config: Its ``tokenizer_config.json``, if it has one.
    """
    limits = []
    positions = next(
        (config[key] for key in ("max_position_embeddings", "n_positions", "max_seq_len") if config.get(key)), None
    )
    if isinstance(positions, int) and positions > 0:
        # RoBERTa and its kin number positions from padding id + 1 on: of 514 embeddings 512 can be used, of PhoBERT's 258 256.
        offset = int(config.get("pad_token_id") or 0) + 1 if config.get("model_type") in _OFFSET_POSITIONS else 0
        limits.append(positions - offset)
    declared = (tokenizer_config or {}).get("model_max_length")
    if isinstance(declared, int | float) and 0 < declared < 1_000_000:
        limits.append(int(declared))
    return min(limits, default=DEFAULT_POSITIONS)


def _mark_spaces_ourselves(tokenizer: Tokenizer, state: dict[str, Any]) -> str:
    """Makes the tokenizer leave marks to us; returns the mark of a word that follows a space ("" where there is none)."""
    # A document that says "</s>" must not end the sequence.
    tokenizer.encode_special_tokens = True
    component = state.get("pre_tokenizer") or {}
    kinds = {part.get("type") for part in component.get("pretokenizers", [component])}
    if "Metaspace" in kinds:
        # The tokenizer's own sequence often begins with WhitespaceSplit and marks every word; the mark decides that here.
        tokenizer.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="never", split=True)
        return "▁"
    if "ByteLevel" in kinds:
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
        return " "
    # Others, Gemma's for one, write the mark before anything is cut, in the place of the space itself.
    component = state.get("normalizer") or {}
    steps = component.get("normalizers", [component])
    replaced = any(step.get("type") == "Replace" and step.get("pattern") == {"String": " "} for step in steps)
    return " " if replaced and not any(step.get("type") == "Prepend" for step in steps) else ""


def _special_pieces(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Pieces that the tokenizer puts before and after a sequence, found by looking at one."""
    # Sentence encoders are often saved with padding to a fixed length, which would look like a very long suffix.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encoding = tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=True)
    mask = encoding.special_tokens_mask
    if 0 not in mask:
        return (), ()
    first = mask.index(0)
    last = len(mask) - mask[::-1].index(0)
    return tuple(encoding.ids[:first]), tuple(encoding.ids[last:])


def _unknown_piece(tokenizer: Tokenizer, model: dict[str, Any]) -> int:
    if isinstance(model.get("unk_id"), int):
        return int(model["unk_id"])
    for name in (model.get("unk_token"), "<unk>", "[UNK]"):
        if name is not None and (found := tokenizer.token_to_id(name)) is not None:
            return int(found)
    return 0


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"not valid JSON ({error})", where=path) from error
    if not isinstance(data, dict):
        raise BundleError("not a JSON object", where=path)
    return data
