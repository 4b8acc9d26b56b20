"""Tokenizers of every kind that models have, each with a piece for some words and pieces of single characters for the rest."""

from __future__ import annotations

import json
import lzma
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, processors

KINDS = ("WordPiece", "Unigram", "BPE", "PhoBERT")
_VIETNAMESE = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
_CHARACTERS = [*map(chr, range(33, 127)), *_VIETNAMESE]
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_NAMES = {"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}


def tiny_tokenizer(kind: str, words: Iterable[str]) -> tuple[Tokenizer, dict[str, str], dict[str, str]]:
    """A tokenizer of a kind.

    Returns:
        The tokenizer, what its special pieces are for, and for each of its pieces that is one of the words, which one.
    """
    return {"WordPiece": _word_piece, "Unigram": _unigram, "BPE": _byte_level, "PhoBERT": _phobert}[kind](list(words))


def bundled_tokenizer() -> Tokenizer:
    """The tokenizer of the encoder that ships with viner, with SentencePiece's compiled map."""
    from viner.base.bundled import TOKENIZER, WEIGHTS

    return Tokenizer.from_str(lzma.decompress((WEIGHTS / TOKENIZER).read_bytes()).decode("utf-8"))


def _word_piece(words: list[str]) -> tuple[Tokenizer, dict[str, str], dict[str, str]]:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *_CHARACTERS, *("##" + letter for letter in _CHARACTERS)]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    return tokenizer, names, {word: word for word in words}


def _unigram(words: list[str]) -> tuple[Tokenizer, dict[str, str], dict[str, str]]:
    scores = dict.fromkeys(_SPECIAL, 0.0)
    scores |= {"▁": -4.0} | {f"▁{word}": -3.0 for word in words} | dict.fromkeys(words, -3.5)
    for rank, letter in enumerate(_CHARACTERS):
        scores.setdefault(letter, -6.0 - rank / 128)
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), unk_id=_SPECIAL.index("<unk>")))
    tokenizer.normalizer = bundled_tokenizer().normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return _finished(tokenizer), _NAMES, {f"▁{word}": word for word in words} | {word: word for word in words}


def _byte_level(words: list[str]) -> tuple[Tokenizer, dict[str, str], dict[str, str]]:
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    spelled = {plain.pre_tokenize_str(mark + word)[0][0]: word for word in words for mark in (" ", "")}
    merges: dict[tuple[str, str], None] = {}
    for spelling in spelled:
        for at in range(1, len(spelling)):
            merges[spelling[:at], spelling[at]] = None
    pieces = dict.fromkeys([*_SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), *(left + right for left, right in merges)])
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, list(merges), unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return _finished(tokenizer), _NAMES, spelled


def _phobert(words: list[str]) -> tuple[Tokenizer, dict[str, str], dict[str, str]]:
    from viner.encoding.phobert import load_phobert

    merges: dict[str, None] = {}
    for word in words:
        symbols = [*word[:-1], f"{word[-1]}</w>"]
        for at in range(1, len(symbols)):
            merges[f"{''.join(symbols[:at])} {symbols[at]} 1"] = None
    pieces = [*words, *_CHARACTERS, *(f"{letter}@@" for letter in _CHARACTERS)]
    with tempfile.TemporaryDirectory() as folder:
        vocabulary, codes = Path(folder) / "vocab.txt", Path(folder) / "bpe.codes"
        vocabulary.write_text("".join(f"{piece} 1\n" for piece in dict.fromkeys(pieces)), encoding="utf-8")
        codes.write_text("\n".join(merges) + "\n", encoding="utf-8")
        tokenizer = load_phobert(vocabulary, codes)
    return tokenizer, _NAMES, {f"{word}</w>": word for word in words}


def _finished(tokenizer: Tokenizer) -> Tokenizer:
    """With special pieces around a sequence."""
    tokenizer.add_special_tokens(_SPECIAL)
    ids = json.loads(tokenizer.to_str())["added_tokens"]
    around = [(item["content"], item["id"]) for item in ids if item["content"] in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=around)
    return tokenizer
