from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.segmenters import Pairs, offer
from viner.errors import InputError, MissingExtraError, UsageError
from viner.text import find_segmenter, segment_words, split_words
from viner.text.segment import group_words


def surfaces(text: str, *, keep: tuple[str, ...] = (), words=None, segmenter=None) -> list[str]:
    spans = [(text.index(kept), text.index(kept) + len(kept)) for kept in keep]
    segments = segment_words(text, words or split_words(text), segmenter or Pairs(), keep=spans)
    return [text[start:end] for start, end in segments]


class All:
    """Takes each sentence for one segment."""

    version = "1"

    def segment(self, words):
        return [(0, len(words))] if words else []


def test_a_segment_is_a_span_of_the_raw_text() -> None:
    assert surfaces("Bệnh \u00a0viện lớn ở Hà Nội.") == ["Bệnh \u00a0viện", "lớn", "ở", "Hà Nội", "."]
    decomposed = unicodedata.normalize("NFD", "ở Hà Nội")
    assert surfaces(decomposed) == decomposed.split(" ", 1)


def test_segments_stay_within_a_sentence_and_a_line() -> None:
    assert surfaces("một hai. Ba bốn\nnăm", segmenter=All()) == ["một hai", ".", "Ba bốn", "năm"]


def test_words_that_touch_are_never_one_segment() -> None:
    assert surfaces("BN990-993 và COVID-19", segmenter=All()) == ["BN990", "-", "993 và COVID", "-", "19"]


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ("viện", ["ra", "bệnh", "viện", "Hà Nội"]),
        ("ra bệnh", ["ra", "bệnh", "viện", "Hà Nội"]),
        ("viện Hà", ["ra", "bệnh", "viện", "Hà", "Nội"]),
        ("iện", ["ra", "bệnh", "viện", "Hà Nội"]),
        ("bệnh viện", ["ra", "bệnh viện", "Hà Nội"]),
    ],
)
def test_a_segment_is_parted_where_a_kept_span_begins_or_ends_inside(kept: str, expected: list[str]) -> None:
    assert surfaces("ra bệnh viện Hà Nội", keep=(kept,)) == expected


def test_words_of_a_segmented_file_are_segments_already() -> None:
    words = [(0, 9), (10, 12), (13, 16)]
    assert segment_words("bệnh viện Hà Nội", words, Pairs()) == words


def test_ranges_that_do_not_tile_the_words_are_refused() -> None:
    for ranges in ([(0, 1)], [(0, 2), (1, 3)], [(1, 3)], [(0, 0), (0, 3)], [(0, 4)], []):
        broken = All()
        broken.segment = lambda words, ranges=ranges: ranges
        with pytest.raises(InputError, match="All groups 3 words"):
            surfaces("một hai ba", segmenter=broken)


@given(st.text(), st.integers(1, 5))
def test_segments_tile_the_words_of_any_text(text: str, size: int) -> None:
    class Runs:
        version = "1"

        def segment(self, words):
            return [(at, min(at + size, len(words))) for at in range(0, len(words), size)]

    words = split_words(text)
    segments = segment_words(text, words, Runs())
    assert [span for segment in segments for span in words if segment[0] <= span[0] and span[1] <= segment[1]] == words
    assert not segments or {segments[0][0], segments[-1][1]} == {words[0][0], words[-1][1]}


def test_tokens_are_counted_in_characters_and_changed_ones_group_nothing() -> None:
    words = ["bệnh", "viện", "COVID", "-", "19"]
    assert group_words(words, ["bệnh viện", "COVID-19"]) == [(0, 2), (2, 5)]
    assert group_words(words, ["bệnh viện CO", "VID", "-", "19"]) == [(0, 3), (3, 4), (4, 5)]
    assert group_words(words, ["bệnh viện", "19"]) == [(at, at + 1) for at in range(5)]
    assert group_words([], []) == []


def test_a_package_offers_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    find_segmenter.cache_clear()  # a test before this one may have offered it
    with pytest.raises(UsageError, match="unknown segmenter 'pairs'") as caught:
        find_segmenter("pairs")
    assert "underthesea" in caught.value.hint
    offer(monkeypatch)
    assert isinstance(find_segmenter("pairs"), Pairs)


def test_without_underthesea_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "underthesea", None)
    find_segmenter.cache_clear()
    with pytest.raises(MissingExtraError, match="segmenter underthesea needs the extra 'vi'") as caught:
        find_segmenter("underthesea")
    assert "pip install 'viner[vi]'" in caught.value.hint


def test_underthesea_segments_texts_of_any_form_in_any_thread() -> None:
    pytest.importorskip("underthesea")
    segmenter = find_segmenter("underthesea")
    text = "Bệnh viện Chợ Rẫy (TP. Hồ Chí Minh) nhận 12 bệnh nhân 😷 hôm qua."
    expected = ["Bệnh viện", "Chợ Rẫy", "(", "TP", ".", "Hồ Chí Minh", ")", "nhận", "12", "bệnh nhân", "😷", "hôm qua", "."]
    assert surfaces(text, segmenter=segmenter) == expected
    decomposed = surfaces(unicodedata.normalize("NFD", text), segmenter=segmenter)
    assert [unicodedata.normalize("NFC", surface) for surface in decomposed] == expected
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: surfaces(text, segmenter=segmenter), range(40))) == [expected] * 40
