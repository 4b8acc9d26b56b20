"""PhoBERT's tokenizer against transformers' own, on a vocabulary made here."""

import json
from collections import Counter

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.trainers import BpeTrainer

from viner.encoding import PieceEncoder
from viner.encoding.phobert import load_phobert
from viner.encoding.tokenizer import load_tokenizer
from viner.errors import BundleError
from viner.samples.corpus import corpus
from viner.text import split_sentences, split_words

RARE = 3


def sentences(*splits):
    found = []
    for split in splits:
        for document in corpus().documents(split):
            for start, end in split_sentences(document.text):
                text = document.text[start:end]
                found.append([text[a:b] for a, b in split_words(text)])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model folder as PhoBERT's: learned on a few hundred sentences, vocabulary counted on what is left after merging."""
    folder = tmp_path_factory.mktemp("phobert")
    learned = sentences("train")[:400]
    tokenizer = Tokenizer(BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.train_from_iterator(
        (" ".join(words) for words in learned), BpeTrainer(vocab_size=1500, end_of_word_suffix="</w>", show_progress=False)
    )
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    (folder / "bpe.codes").write_text("".join(f"{a} {b} 1\n" for a, b in merges), encoding="utf-8")
    counts = Counter()
    for words in learned:
        for piece in tokenizer.encode(words, is_pretokenized=True).tokens:
            counts[piece[: -len("</w>")] if piece.endswith("</w>") else piece + "@@"] += 1
    # As in fastBPE's vocabularies, what merging always builds upon is missing, and so is what is rare.
    lines = [f"{piece} {count}\n" for piece, count in counts.most_common() if count >= RARE]
    (folder / "vocab.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "config.json").write_text(
        json.dumps({"model_type": "roberta", "max_position_embeddings": 258, "pad_token_id": 1, "vocab_size": len(lines) + 5})
    )
    return folder


def test_ids_equal_those_of_transformers_on_the_whole_corpus(folder):
    from transformers.models.phobert.tokenization_phobert import PhobertTokenizer

    slow = PhobertTokenizer(str(folder / "vocab.txt"), str(folder / "bpe.codes"))
    encoder = PieceEncoder.from_folder(folder, views=())
    different = unknown = 0
    for words in sentences("train", "dev", "test"):
        text = " ".join(words)
        spans = np.cumsum([0] + [len(word) + 1 for word in words])
        ours = encoder.encode(text, [(start, start + len(word)) for start, word in zip(spans, words, strict=False)])
        theirs = slow(text, add_special_tokens=False).input_ids
        different += ours.pieces.tolist() != theirs
        unknown += theirs.count(slow.unk_token_id)
    assert different == 0
    assert unknown > 100  # else the test says nothing about pieces that the vocabulary lacks


def test_pieces_that_the_vocabulary_lacks_take_part_in_merges_each_by_itself(tmp_path):
    # ab and xy are missing; both go on to merge with c, and only abc is known.
    (tmp_path / "vocab.txt").write_text("abc 5\na@@ 4\nx@@ 3\n", encoding="utf-8")
    (tmp_path / "bpe.codes").write_text("a b 9\nx y 8\nab c</w> 7\n", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"vocab_size": 8}')
    encoder = PieceEncoder.from_folder(tmp_path)
    assert encoder.encode("abc", [(0, 3)]).pieces.tolist() == [4]
    assert encoder.encode("xyc", [(0, 3)]).pieces.tolist() == [3, 3]


def test_the_fast_form_survives_saving(folder, tmp_path):
    load_tokenizer(folder).save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    before, after = PieceEncoder.from_folder(folder), PieceEncoder.from_folder(tmp_path)
    assert (
        (after.prefix, after.suffix, after.max_pieces) == ((0,), (2,), 256) == (before.prefix, before.suffix, before.max_pieces)
    )
    for words in sentences("dev"):
        text = " ".join(words)
        spans = split_words(text)
        assert after.encode(text, spans).pieces.tolist() == before.encode(text, spans).pieces.tolist()


def test_ids_are_those_of_fairseq(folder):
    tokenizer = load_phobert(folder / "vocab.txt", folder / "bpe.codes")
    count = len((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    assert [tokenizer.token_to_id(token) for token in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")] == [0, 1, 2, 3, count + 4]


def test_a_broken_merge_is_named(tmp_path):
    (tmp_path / "vocab.txt").write_text("a 1\n", encoding="utf-8")
    (tmp_path / "bpe.codes").write_text("a b 3\nab\n", encoding="utf-8")
    with pytest.raises(BundleError, match=r"bpe\.codes:2"):
        load_phobert(tmp_path / "vocab.txt", tmp_path / "bpe.codes")
