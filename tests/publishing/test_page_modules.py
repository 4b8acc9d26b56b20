"""The page of a static site does what Python does: the same words, pieces, windows and entities."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

from support.page_modules import TEXTS, ask, page_modules, pairs, random_texts
from support.tiny_tokenizers import KINDS, bundled_tokenizer, tiny_tokenizer
from viner.document import Document, Entity
from viner.encoding import BioDecoder, PieceEncoder, plan_windows, side_by_side
from viner.errors import VinerError
from viner.metrics.calibration import Calibration
from viner.publishing.characters import character_tables
from viner.publishing.pieces import describe
from viner.publishing.static import fingerprint
from viner.text import split_words, tone_style

WORDS = ["Lan", "Nam", "Minh", "Nguyễn", "Văn", "A", "Huế", "Paris", "Hà", "Nội"]
FUZZ = 2_000


@pytest.fixture(scope="module")
def modules(tmp_path_factory) -> Path:
    return page_modules(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def asked(modules) -> Callable:
    return lambda questions, **known: ask(modules, questions, tables=character_tables(), **known)


def first_difference(texts, expected, found):
    for text, one, other in zip(texts, expected, found, strict=True):
        if one != other:
            return f"{text!r} ({' '.join(f'{ord(char):04x}' for char in text[:80])}): {one} in Python, {other} on the page"
    return None


def test_words_are_cut_at_the_same_places(asked):
    texts = [*TEXTS, *random_texts(FUZZ, 1, longest=30), *random_texts(300, 2, longest=400)]
    found = asked({"split": texts})["split"]
    assert first_difference(texts, list(map(split_words, texts)), list(map(pairs, found))) is None


@pytest.mark.parametrize("name", ["nfc", "tone-new", "tone-old"])
def test_views_are_the_same(asked, name):
    syllables = [
        onset + rhyme
        for onset in ("", "h", "QU", "Ngh", "đ", "ſ", "kh")
        for rhyme in ("oà", "óa", "oẹ", "ÚY", "uỳ", "oải", "Õ")
    ]
    words = [*syllables, *(unicodedata.normalize("NFD", word) for word in syllables), *random_texts(FUZZ, 3)]
    view = {"nfc": lambda word: unicodedata.normalize("NFC", word), "tone-new": lambda word: tone_style(word, "new")}
    expected = [view.get(name, lambda word: tone_style(word, "old"))(word) for word in words]
    found = asked({"view": {"names": [name], "words": words}})["view"]
    assert first_difference(words, expected, found) is None


def spelled(normalizer) -> Tokenizer:
    """A tokenizer whose pieces are the bytes of what a normalizer makes, so that no difference stays hidden."""
    vocabulary = {"<unk>": 0} | {f"<0x{byte:02X}>": byte + 1 for byte in range(256)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizer
    return tokenizer


def words_of(splitter) -> Tokenizer:
    """A tokenizer whose pieces show where a pre-tokenizer cuts: those behind the first one of a part begin with ``##``."""
    vocabulary = (
        {"[UNK]": 0}
        | {chr(code): code for code in range(33, 0x250)}
        | {f"##{chr(code)}": 0x300 + code for code in range(33, 0x250)}
    )
    tokenizer = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = splitter
    return tokenizer


SPLIT_AT_BYTES = models.BPE({char: index for index, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, [])


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(SPLIT_AT_BYTES)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    return tokenizer


TOKENIZERS = {
    **{kind: (lambda kind=kind: tiny_tokenizer(kind, WORDS)[0]) for kind in KINDS},
    "the bundled encoder's": bundled_tokenizer,
    "compiled map": lambda: spelled(bundled_tokenizer().normalizer),
    "BERT uncased": lambda: spelled(normalizers.BertNormalizer()),
    "BERT cased": lambda: spelled(normalizers.BertNormalizer(lowercase=False, strip_accents=False)),
    "NFC": lambda: spelled(normalizers.NFC()),
    "NFKC": lambda: spelled(normalizers.NFKC()),
    "a sequence": lambda: spelled(
        normalizers.Sequence(
            [
                normalizers.Nmt(),
                normalizers.Replace("``", '"'),
                normalizers.NFKD(),
                normalizers.StripAccents(),
                normalizers.Lowercase(),
                normalizers.Replace(Regex(" {2,}"), " "),
                normalizers.Strip(),
            ]
        )
    ),
    "BERT words": lambda: words_of(pre_tokenizers.BertPreTokenizer()),
    "words and signs": lambda: words_of(pre_tokenizers.Whitespace()),
    "bytes": byte_level,
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_words_become_the_same_pieces(asked, name):
    views = () if name in ("NFC", "NFKC", "compiled map") else ("nfc",)
    encoder = PieceEncoder(TOKENIZERS[name](), max_pieces=512, views=views)
    mark = encoder.rules().mark
    drawn = [
        word for text in (*TEXTS, *random_texts(FUZZ, 4)) for word in (text[start:end] for start, end in split_words(text))
    ]
    words = list(dict.fromkeys(drawn))
    keys = [*words, *(mark + word for word in words)]
    found = asked({"pieces": keys}, rules=describe(encoder))["pieces"]
    expected = list(map(list, encoder._cut(keys)))
    assert first_difference(keys, expected, found) is None


def test_windows_are_the_same(modules):
    draw = random.Random(5)
    plans = []
    for _ in range(400):
        capacity = draw.randint(1, 40)
        lengths = [draw.randint(1, min(capacity, draw.choice((2, 5, 40)))) for _ in range(draw.randint(0, 120))]
        plans.append({"offsets": np.cumsum([0, *lengths]).tolist(), "capacity": capacity, "overlap": draw.randrange(capacity)})
    found = ask(modules, {"windows": plans})["windows"]
    for plan, windows in zip(plans, found, strict=True):
        expected = plan_windows(np.array(plan["offsets"], dtype=np.int32), plan["capacity"], plan["overlap"])
        assert windows == [[w.first, w.last, w.keep_first, w.keep_last] for w in expected], plan


@pytest.mark.parametrize("least", [0.0, 0.6], ids=["all", "without unsure ones"])
@pytest.mark.parametrize("calibration", [None, Calibration(slope=0.6, intercept=-0.4)], ids=["plain", "calibrated"])
def test_decoding_finds_the_same_entities(modules, calibration, least):
    numbers = np.random.default_rng(6)
    labels = ("PERSON", "LOCATION", "DATE")
    documents = [numbers.normal(size=(numbers.integers(0, 30), 7), scale=3).astype(np.float32) for _ in range(400)]
    texts = [part.ravel().tolist() for part in documents]
    question = {"tags": 7, "documents": texts, "calibration": known(calibration), "least": least}
    found = ask(modules, {"decode": question})["decode"]
    decoder = BioDecoder(labels, calibration, least_estimate=least)
    for emissions, spans in zip(documents, found, strict=True):
        expected = decoder.decode(emissions)
        assert [(s["first"], s["last"], labels[s["label"]]) for s in spans] == [(s.first, s.last, s.label) for s in expected]
        assert [s["score"] for s in spans] == pytest.approx([s.score for s in expected], abs=1e-5)


def known(calibration):
    """The form in which a page has it."""
    return None if calibration is None else calibration.to_dict()


class PretendEngine:
    """Logits that depend on the piece and its place, as in ``ask.mjs``."""

    def run(self, ids, mask):
        place, tag = np.arange(ids.shape[1])[None, :, None], np.arange(5)[None, None, :]
        return (3 * np.sin(ids[:, :, None] * 12.9898 + tag * 78.233 + place * 37.719)).astype(np.float32)

    def submit(self, work, *args):
        raise AssertionError("short texts only")


LEAST = 0.45


def test_a_text_goes_the_same_way_from_end_to_end(asked):
    encoder = PieceEncoder(bundled_tokenizer(), max_pieces=24, pad=1)
    labels, calibration = ("PERSON", "LOCATION"), Calibration(slope=0.6, intercept=0.3)
    model = {"labels": labels, "calibration": known(calibration), "overlap": 8, "pieces": describe(encoder)}
    model["least_estimate"] = LEAST
    found = asked({"recognize": TEXTS, "fingerprint": TEXTS}, model=model)
    for text, answer in zip(TEXTS, found["recognize"], strict=True):
        expected = recognized(encoder, text, labels, calibration)
        document = Document.from_dict(answer)
        assert document.text == text
        assert document.words == expected.words
        same = [(e.start, e.end, e.label) for e in document.entities] == [(e.start, e.end, e.label) for e in expected.entities]
        assert same, text
        assert [e.score for e in document.entities] == pytest.approx([e.score for e in expected.entities], abs=2e-4)
        assert {e.source for e in document.entities} <= {"model"}
    assert found["fingerprint"] == [fingerprint(encoder, text) for text in TEXTS]


def recognized(encoder: PieceEncoder, text: str, labels, calibration) -> Document:
    words = split_words(text)
    encoded = encoder.encode(text, words)
    emissions = np.zeros((len(words), 5), dtype=np.float32)
    for window in plan_windows(encoded.offsets, encoder.capacity, 8):
        pieces = encoded.pieces[encoded.offsets[window.first] : encoded.offsets[window.last]]
        logits = PretendEngine().run(*side_by_side([pieces], encoder))[0]
        kept = slice(window.keep_first, window.keep_last)
        emissions[kept] = logits[encoded.offsets[kept] - encoded.offsets[window.first] + len(encoder.prefix)]
    spans = BioDecoder(labels, calibration, least_estimate=LEAST).decode(emissions)
    entities = [Entity(words[s.first][0], words[s.last - 1][1], s.label, score=round(s.score, 4)) for s in spans]
    return Document(text, words=words, entities=entities)


def test_half_of_a_character_is_refused(asked):
    encoder = PieceEncoder(bundled_tokenizer(), max_pieces=24)
    model = {"labels": ["X"], "calibration": None, "least_estimate": 0, "overlap": 8, "pieces": describe(encoder)}
    with pytest.raises(AssertionError, match="half_character"):
        asked({"recognize": ["a\ud800b"]}, model=model)


def refusal(tokenizer: Tokenizer) -> VinerError:
    with pytest.raises(VinerError) as caught:
        describe(PieceEncoder(tokenizer, max_pieces=64))
    assert caught.value.hint
    return caught.value


def with_normalizer(normalizer) -> Tokenizer:
    return spelled(normalizer)


def with_splitter(splitter) -> Tokenizer:
    return words_of(splitter)


@pytest.mark.parametrize(
    ("tokenizer", "named"),
    [
        (lambda: with_normalizer(normalizers.Prepend("x")), "normalizer of type Prepend"),
        (lambda: with_normalizer(normalizers.Replace(Regex("a+"), "b")), "a+"),
        (
            lambda: with_normalizer(normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()])),
            "normalizer of type ByteLevel",
        ),
        (lambda: with_splitter(pre_tokenizers.Digits()), "pre-tokenizer of type Digits"),
        (lambda: Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, "<unk>")), "model is of type WordLevel"),
        (lambda: Tokenizer(models.BPE({"a": 0, "<unk>": 1}, [], dropout=0.1, unk_token="<unk>")), "dropout"),
    ],
)
def test_a_part_that_the_page_does_not_know_is_refused_by_name(tokenizer, named):
    assert named in refusal(tokenizer()).message


@pytest.mark.parametrize(
    ("content", "harmless"),
    [("COVID", False), ("..", False), ("5m", False), (" ", False), ("[unused1]", True), ("two words", True), ("  ", True)],
)
def test_added_pieces_are_refused_where_a_word_could_hold_them(content, harmless):
    tokenizer = bundled_tokenizer()
    tokenizer.add_tokens([AddedToken(content, normalized=False)])
    if harmless:
        assert describe(PieceEncoder(tokenizer, max_pieces=64))
    else:
        assert repr(content) in refusal(tokenizer).message
