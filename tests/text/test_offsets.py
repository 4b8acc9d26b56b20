from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.errors import InputError
from viner.text import OffsetMap

TEXT = "Bệnh nhân 😷 Nguyễn Văn A ở Hà Nội."


@pytest.mark.parametrize(
    ("form", "points", "utf16", "utf8"),
    [("NFC", (27, 33), (28, 34), (38, 47)), ("NFD", (35, 44), (36, 45), (46, 58))],
)
def test_three_units_of_one_entity(form: str, points: tuple[int, int], utf16: tuple[int, int], utf8: tuple[int, int]) -> None:
    text = unicodedata.normalize(form, TEXT)
    offsets = OffsetMap(text)
    assert unicodedata.normalize("NFC", text[points[0] : points[1]]) == "Hà Nội"
    assert tuple(map(offsets.to_utf16, points)) == utf16
    assert tuple(map(offsets.to_utf8, points)) == utf8
    assert tuple(map(offsets.from_utf16, utf16)) == points
    assert tuple(map(offsets.from_utf8, utf8)) == points


@given(st.text())
def test_offsets_equal_what_the_encoders_say(text: str) -> None:
    offsets = OffsetMap(text)
    for point in range(len(text) + 1):
        assert offsets.to_utf16(point) == len(text[:point].encode("utf-16-le")) // 2
        assert offsets.to_utf8(point) == len(text[:point].encode())
        assert offsets.from_utf16(offsets.to_utf16(point)) == point
        assert offsets.from_utf8(offsets.to_utf8(point)) == point


@pytest.mark.parametrize("offset", [-1, 11, 37])
def test_offsets_inside_a_pair_or_outside_the_text_are_refused(offset: int) -> None:
    with pytest.raises(InputError):
        OffsetMap(TEXT).from_utf16(offset)


def test_code_points_outside_the_text_are_refused() -> None:
    with pytest.raises(InputError, match="offset 3 leaves the text of 2"):
        OffsetMap("ab").to_utf16(3)
