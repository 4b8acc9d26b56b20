"""PhoBERT's tokenizer as a ``tokenizers`` object.

transformers has it only in slow Python, without offsets. Its byte-pair encoding is the same as that of ``tokenizers`` when
read so: pieces that end a word carry ``</w>`` (the vocabulary file writes the others as ``x@@``), merges are the first two
columns of ``bpe.codes``, and ids are those of fairseq: ``<s> <pad> </s> <unk>``, the vocabulary in file order, ``<mask>``.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing

from viner.errors import BundleError

PHOBERT_TOKENS = {
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "mask_token": "<mask>",
}
"""What each special piece is for, as ``tokenizer_config.json`` says it."""
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def load_phobert(vocabulary: Path, merges: Path) -> Tokenizer:
    """Reads ``vocab.txt`` ("piece count" a line) and ``bpe.codes`` ("left right count" a line).

    The original merges first and looks pieces up afterwards, so merges may build pieces that the vocabulary lacks. Here they
    get ids behind the vocabulary, each its own, since merging goes by id. The model has no embedding for them: whoever feeds
    it takes ``<unk>`` instead, as :class:`viner.encoding.PieceEncoder` does for every id from ``vocab_size`` on.

    Raises:
        BundleError: If a merge has too few columns; ``where`` is file:line.
    """
    ids = {token: index for index, token in enumerate(_SPECIAL)}
    # Not splitlines(): pieces may hold U+2028 and other characters that it takes for line ends.
    for line in vocabulary.read_text(encoding="utf-8").rstrip("\n").split("\n"):
        piece = line.strip().rsplit(" ", 1)[0]
        # A lone @@ is the word "@@", not the beginning of one.
        name = piece[:-2] if piece.endswith("@@") and len(piece) > 2 else piece + "</w>"
        ids.setdefault(name, len(ids))
    ids["<mask>"] = len(ids)
    pairs = []
    for number, line in enumerate(merges.read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
        columns = line.split(" ")
        if len(columns) < 2:
            raise BundleError("a merge needs two columns", where=f"{merges}:{number}")
        pairs.append((columns[0], columns[1]))
    for left, right in pairs:
        for piece in (left, right, left + right):
            ids.setdefault(piece, len(ids))
    tokenizer = Tokenizer(BPE(vocab=ids, merges=pairs, unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL])
    tokenizer.add_special_tokens([AddedToken("<mask>", special=True, normalized=False, lstrip=True)])
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])]
    )
    return tokenizer
