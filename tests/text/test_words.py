from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from viner.text import LONGEST_WORD, Graphemes, split_words


def surfaces(text: str) -> list[str]:
    return [text[start:end] for start, end in split_words(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BN990-993", "BN990 - 993"),
        ("1-6/8", "1 - 6 / 8"),
        ("COVID-19", "COVID - 19"),
        ("51B-123.45", "51B - 123 . 45"),
        ("1.006 ca; 38,5°C", "1 . 006 ca ; 38 , 5 ° C"),
        ("https://a.vn/x?y=1", "https : / / a . vn / x ? y = 1"),
        ("bệnh_viện don't", "bệnh _ viện don ' t"),
        ("chờ... rồi ---- )) .. hết", "chờ ... rồi ---- ) ) . . hết"),
        ("Bệnh nhân\r\n91\u00a0tuổi", "Bệnh nhân 91 tuổi"),
        ("שלום, עולם", "שלום , עולם"),
        ("نص\u200cها", "نص\u200cها"),
        ("😷👨\u200d👩\u200d👧🇻🇳👍🏻 3️⃣", "😷 👨\u200d👩\u200d👧 🇻🇳 👍🏻 3️⃣"),
        ("東京2020ガｶﾞー", "東 京 2020 ガ ｶﾞ ー"),
        ("สวัสดี ทำ", "ส วั ส ดี ทำ"),
        ("", ""),
        (" \n\t", ""),
    ],
)
def test_words_split_where_annotators_cut(text: str, words: str) -> None:
    assert surfaces(text) == words.split()


def test_decomposed_text_splits_as_composed_text_does() -> None:
    text = "Bệnh nhân Nguyễn Thị Huệ, ở Đắk Lắk."
    decomposed = unicodedata.normalize("NFD", text)
    assert [unicodedata.normalize("NFC", word) for word in surfaces(decomposed)] == surfaces(text)


@given(st.text() | st.text(alphabet="a1 .-\n\u0301\u200d😷👩🇻漢กำ\u1100\u1161\ufeff\u0600", max_size=200))
def test_words_tile_the_text(text: str) -> None:
    spans = split_words(text)
    covered = [0] * len(text)
    last = 0
    for start, end in spans:
        assert last <= start < end <= start + LONGEST_WORD
        last = end
        for index in range(start, end):
            covered[index] += 1
    assert covered == [0 if char.isspace() else 1 for char in text]


@given(
    st.text(max_size=60)
    | st.text(alphabet="a1 .-\r\n\u0301\u200b\u200d😷👩🏽🇻漢กำ\u1100\u1161\ufeff\u0600\u0d4e\U000110bdक", max_size=60)
)
def test_no_character_is_cut(text: str) -> None:
    """What an annotator marks must begin and end between characters; a word that did not could not be marked."""
    assume("\u094d" not in text)  # regex joins even a stray virama to the consonant behind it, which Unicode does not
    borders = Graphemes(text)
    for start, end in split_words(text):
        assert borders.is_border(start) or text[start - 1].isspace()
        assert borders.is_border(end) or text[end].isspace()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u060012 \u0600. \u0600", "\u060012 \u0600. \u0600"),
        ("a\U000110bd12,\U000110bd\u200b", "a \U000110bd12 , \U000110bd \u200b"),
        ("-🏽 a🏽b 👍🏽", "-🏽 a🏽 b 👍🏽"),
        ("1\u0e33 -\u0e33 กำ", "1\u0e33 -\u0e33 กำ"),
    ],
)
def test_signs_that_belong_to_a_neighbor_stay_with_it(text: str, words: str) -> None:
    assert surfaces(text) == words.split()


@pytest.mark.parametrize("char", ["a", "漢", ".", "\u0301", "👍", "\x00"])
def test_long_runs_are_cut(char: str) -> None:
    text = char * 1000
    spans = split_words(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert max(end - start for start, end in spans) <= LONGEST_WORD


def test_long_runs_are_cut_between_grapheme_clusters() -> None:
    text = "ábc" * 500
    decomposed = unicodedata.normalize("NFD", text)
    assert not any(word.startswith("\u0301") for word in surfaces(decomposed))
    jamo = "\u1100\u1161\u11a8" * 100
    assert all(word.startswith("\u1100") for word in surfaces(jamo))


def test_megabytes_without_a_space_are_cut_to_the_last_character() -> None:
    spans = split_words("a" * 2_000_001)  # a splitter that is not linear would not come back
    assert len(spans) == 31_251
    assert spans[-1] == (2_000_000, 2_000_001)


@pytest.mark.parametrize(("text", "words"), [("nam, 38t", "nam|,|38|t"), ("5mg", "5|mg"), ("29B", "29B"), ("BN990", "BN990")])
def test_a_number_stands_apart_from_a_lower_case_unit(text: str, words: str) -> None:
    assert "|".join(surfaces(text)) == words
