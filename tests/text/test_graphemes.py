import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.text import Graphemes, graphemes

FAMILY = "👨\u200d👩\u200d👧"
tricky = st.text(st.sampled_from(list("aế\u0300\u200d\r\n 😷👩🏽🇻🇳क्क가\u0600\ufe0f\u0e33")), max_size=30)


def borders(text):
    return [offset for offset in range(len(text) + 1) if Graphemes(text).is_border(offset)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [0]),
        ("abc", [0, 1, 2, 3]),
        ("a\r\nb", [0, 1, 3, 4]),
        (unicodedata.normalize("NFD", "ế") + "x", [0, 3, 4]),
        (f"a{FAMILY}b", [0, 1, 6, 7]),
        ("🇻🇳🇻🇳", [0, 2, 4]),
        ("👩🏽", [0, 2]),
    ],
)
def test_borders(text, expected):
    assert borders(text) == expected


@settings(max_examples=300, deadline=None)
@given(st.one_of(tricky, st.text(max_size=20)))
def test_borders_are_those_of_a_scan_over_the_whole_text(text):
    ends = [match.end() for match in regex.finditer(r"\X", text)]
    assert borders(text) == [0, *ends]


def test_outside_of_the_text_there_is_no_border():
    assert not Graphemes("ab").is_border(3)
    assert not Graphemes("ab").is_border(-1)


@pytest.mark.parametrize(
    "text", ["🇻🇳" * 40 + "🇻", "a" + "\u0301" * 50 + "b\u0301", f"{FAMILY}\u200d" * 30, "각" * 30 + "\r\n" * 9]
)
def test_long_rows_are_looked_at_in_slices_and_lose_nothing(text, monkeypatch):
    monkeypatch.setattr(graphemes, "_SLICE", 4)
    assert borders(text) == [0, *(match.end() for match in regex.finditer(r"\X", text))]
