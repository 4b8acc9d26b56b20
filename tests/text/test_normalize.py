from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.text import nfc, strip_diacritics, tone_style

PAIRS = [("hòa", "hoà"), ("HÒA", "HOÀ"), ("Thúy", "Thuý"), ("khỏe", "khoẻ"), ("tọa", "toạ"), ("ủy", "uỷ"), ("Lũy", "Luỹ")]


@pytest.mark.parametrize(("old", "new"), PAIRS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_both_tone_styles_become_the_asked_one(old: str, new: str, form: str) -> None:
    for word in (unicodedata.normalize(form, old), unicodedata.normalize(form, new)):
        assert tone_style(word, "old") == old
        assert tone_style(word, "new") == new


@pytest.mark.parametrize("word", ["quý", "già", "hoàn", "ngoái", "thuyền", "hoa", "shoe", "Hồ", "", "oà1"])
def test_words_that_both_styles_spell_alike_stay(word: str) -> None:
    assert tone_style(word, "old") == word
    assert tone_style(word, "new") == word


def test_diacritics_and_the_barred_d_go() -> None:
    assert strip_diacritics("Đường") == "Duong"
    assert strip_diacritics(unicodedata.normalize("NFD", "bệnh viện đa khoa")) == "benh vien da khoa"


@given(st.text())
def test_views_are_idempotent(word: str) -> None:
    for view in (nfc, strip_diacritics, lambda word: tone_style(word, "new"), lambda word: tone_style(word, "old")):
        assert view(view(word)) == view(word)
