import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from viner.encoding import PieceEncoder, position_limit, tokenizer
from viner.errors import BundleError, InputError
from viner.samples.corpus import corpus
from viner.text import split_words

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def texts():
    return [document.text for document in list(corpus().documents("train"))[:200]]


def bert():
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(texts(), trainers.WordPieceTrainer(vocab_size=800, special_tokens=names, show_progress=False))
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


def unigram(pre_tokenizer):
    def make():
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizer
        made.train_from_iterator(
            texts(),
            trainers.UnigramTrainer(vocab_size=800, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False),
        )
        made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
        return made

    return make


def roberta():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        texts(),
        trainers.BpeTrainer(
            vocab_size=900,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made


def gemma():
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    made.train_from_iterator(
        texts(), trainers.UnigramTrainer(vocab_size=800, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    )
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return made


MAKERS = {
    "gemma": gemma,
    "bert": bert,
    "xlm-roberta": unigram(
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    ),
    "metaspace always": unigram(pre_tokenizers.Metaspace(prepend_scheme="always")),
    "metaspace first": unigram(pre_tokenizers.Metaspace(prepend_scheme="first")),
    "metaspace never": unigram(pre_tokenizers.Metaspace(prepend_scheme="never")),
    "roberta": roberta,
}
_made = {}


def fresh(family):
    """A tokenizer of that family that nobody has changed."""
    if family not in _made:
        _made[family] = MAKERS[family]().to_str()
    return Tokenizer.from_str(_made[family])


def make(family, **options):
    return PieceEncoder(fresh(family), **{"max_pieces": 64, **options})


def cut(encoder, text, words=None):
    """The pieces of each word as text."""
    encoded = encoder.encode(text, words or split_words(text))
    bounds = encoded.offsets
    names = [encoder._tokenizer.id_to_token(int(piece)) for piece in encoded.pieces]
    return [names[bounds[i] : bounds[i + 1]] for i in range(len(encoded.words))]


families = pytest.mark.parametrize("family", MAKERS)
ODD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["\u200b", "\u200d", "\x01", "\ufeff", "😷", "\ufffd", "▁", "Ġ", "##a", "x" * 200, "ệ" * 90]),
)


@families
@settings(max_examples=30, deadline=None)
@given(parts=st.lists(ODD, max_size=5))
def test_every_word_has_a_piece_and_fits(family, parts):
    encoder = make(family, max_pieces=12)
    text = " ".join(parts)
    encoded = encoder.encode(text, split_words(text))
    counts = encoded.offsets[1:] - encoded.offsets[:-1]
    assert len(counts) == len(encoded.words)
    assert encoded.offsets[0] == 0
    assert encoded.offsets[-1] == len(encoded.pieces)
    assert (counts >= 1).all()
    assert (counts <= encoder.capacity).all()


@families
def test_special_pieces_are_found_even_in_padded_and_truncated_tokenizers(family):
    specials = {"bert": ((2,), (3,))}.get(family, ((0,), (2,)))
    made = fresh(family)
    made.enable_padding(length=16)
    made.enable_truncation(8)
    encoder = PieceEncoder(made, max_pieces=64)
    assert (encoder.prefix, encoder.suffix) == specials
    assert encoder.capacity == 62
    assert len(encoder.encode("a " * 40, split_words("a " * 40)).pieces) >= 40


@families
def test_words_that_follow_a_space_look_as_in_running_text(family):
    for text in texts()[:30]:
        words = split_words(text)
        pieces = [piece for word in cut(make(family), text) for piece in word]
        made = fresh(family)
        if family == "metaspace never":
            made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        spaced = " ".join(text[start:end] for start, end in words)
        expected = made.encode(" " * (family == "gemma") + spaced, add_special_tokens=False).tokens
        actual = [piece for word in cut(make(family), spaced) for piece in word]
        # Pieces are chosen word by word, as the tokenizers do themselves where they split at spaces.
        if "metaspace" not in family and family != "gemma":
            assert actual == expected
        assert "".join(actual) == "".join(expected)
        assert "".join(pieces).count("▁") <= "".join(actual).count("▁")


@pytest.mark.parametrize(
    ("family", "mark"),
    [("xlm-roberta", "▁"), ("metaspace first", "▁"), ("metaspace never", "▁"), ("roberta", "Ġ"), ("gemma", "▁")],
)
def test_only_words_after_a_space_carry_its_mark(family, mark):
    found = ["".join(word) for word in cut(make(family), "ca COVID-19, (BN91)")]
    assert [word.startswith(mark) for word in found] == [True, True, False, False, False, True, False, False]


def test_all_words_can_be_shown_as_if_a_space_stood_before_them():
    encoder = make("xlm-roberta")
    glued, apart = "27/7", "27 / 7"
    spaced = encoder.encode(glued, split_words(glued), spaced=True)
    assert spaced.pieces.tolist() == encoder.encode(apart, split_words(apart)).pieces.tolist()
    assert spaced.pieces.tolist() != encoder.encode(glued, split_words(glued)).pieces.tolist()


@families
def test_special_pieces_in_the_text_are_text(family):
    encoder = make(family)
    forbidden = {encoder._tokenizer.token_to_id(name) for name in (*SPECIAL, "[PAD]", "[CLS]", "[SEP]", "[MASK]")} - {None}
    unknown = {encoder._unknown}
    for text in ("</s>", "a <s> b", "x<mask>y", "[SEP]", "[CLS] [MASK]", "<pad>"):
        # Also where a file's own words keep it in one.
        for words in (split_words(text), [(0, len(text))]):
            assert not set(encoder.encode(text, words).pieces.tolist()) & (forbidden - unknown)


@families
def test_both_normalization_forms_give_the_same_pieces(family):
    encoder = make(family)
    for text in texts()[:60]:
        forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
        one, other = (encoder.encode(form, split_words(form)).pieces.tolist() for form in forms)
        assert one == other


@families
def test_tone_views_merge_both_spellings(family):
    old, new = "hòa khỏe Thúy ở Thủy", "hoà khoẻ Thuý ở Thuỷ"
    for view in ("tone-new", "tone-old"):
        encoder = make(family, views=("nfc", view))
        assert encoder.encode(old, split_words(old)).pieces.tolist() == encoder.encode(new, split_words(new)).pieces.tolist()
    encoder = make(family)
    assert encoder.encode(old, split_words(old)).pieces.tolist() != encoder.encode(new, split_words(new)).pieces.tolist()


def test_a_full_cache_is_emptied_and_answers_stay_right(monkeypatch):
    monkeypatch.setattr(tokenizer, "_CACHE_SIZE", 20)
    small, encoder = make("xlm-roberta"), make("xlm-roberta")
    monkeypatch.undo()
    for text in texts()[:60]:
        monkeypatch.setattr(tokenizer, "_CACHE_SIZE", 20)
        few = small.encode(text, split_words(text)).pieces.tolist()
        monkeypatch.undo()
        assert few == encoder.encode(text, split_words(text)).pieces.tolist()
        assert len(small._cache) <= max(20, len(set(text.split())) * 4)


def test_long_words_that_documents_bring_are_not_kept(monkeypatch):
    encoder = make("xlm-roberta")
    for number in range(20):
        text = f"ab {number}" + "x" * 500
        assert (
            encoder.encode(text, [(0, 2), (3, len(text))]).pieces.tolist()
            == encoder.encode(text, [(0, 2), (3, len(text))]).pieces.tolist()
        )
    assert list(encoder._cache) == ["▁ab"]


def test_a_word_longer_than_a_window_is_answered_from_its_beginning():
    encoder = make("bert", max_pieces=6)
    text = "q" * 50
    assert len(encoder.encode(text, [(0, 50)]).pieces) <= 4


def test_pieces_without_an_embedding_are_unknown():
    made = fresh("bert")
    encoder = PieceEncoder(made, max_pieces=64, vocabulary=made.token_to_id("a"))
    assert max(encoder.encode("a z", [(0, 1), (2, 3)]).pieces) == encoder._unknown


def test_a_text_without_words():
    encoded = make("bert").encode("  ", [])
    assert len(encoded.pieces) == 0
    assert encoded.offsets.tolist() == [0]


def test_unknown_views_and_no_room():
    with pytest.raises(InputError, match="unknown view 'nfd'"):
        make("bert", views=("nfd",))
    with pytest.raises(InputError, match="no room for text"):
        make("bert", max_pieces=2)


def test_a_folder_without_a_tokenizer_or_with_a_broken_one(tmp_path):
    with pytest.raises(BundleError, match="no tokenizer that viner can read") as caught:
        PieceEncoder.from_folder(tmp_path)
    assert caught.value.where == str(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(BundleError, match="cannot be read"):
        PieceEncoder.from_folder(tmp_path)
    for content, problem in (("{", "not valid JSON"), ("[]", "not a JSON object")):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(BundleError, match=problem) as caught:
            PieceEncoder.from_folder(tmp_path)
        assert caught.value.where == str(tmp_path / "config.json")


def test_a_folder_gives_limits_and_padding(tmp_path):
    fresh("xlm-roberta").save(str(tmp_path / "tokenizer.json"))
    config = {"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1, "vocab_size": 800}
    (tmp_path / "config.json").write_text(json.dumps(config))
    encoder = PieceEncoder.from_folder(tmp_path)
    assert (encoder.max_pieces, encoder.pad) == (512, 1)
    assert PieceEncoder.from_folder(tmp_path, max_pieces=256).max_pieces == 256
    assert PieceEncoder.from_folder(tmp_path, max_pieces=9999).max_pieces == 512


@pytest.mark.parametrize(
    ("config", "declared", "limit"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, None, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512, 512),
        ({"model_type": "roberta", "max_position_embeddings": 258, "pad_token_id": 1}, None, 256),
        ({"model_type": "roberta", "max_position_embeddings": 258, "pad_token_id": 1}, 10**30, 256),
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}, None, 512),
        ({"model_type": "bert", "max_position_embeddings": 512}, 128, 128),
        ({"model_type": "xlnet", "max_position_embeddings": -1}, None, 512),
        ({}, None, 512),
        ({}, 8192, 8192),
    ],
)
def test_how_much_a_model_can_read(config, declared, limit):
    assert position_limit(config, None if declared is None else {"model_max_length": declared}) == limit
