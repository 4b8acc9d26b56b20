from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.text import split_sentences


def surfaces(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "BN91 ở TP. Hồ Chí Minh.| Anh khỏi bệnh!| Hết.",
        "Khám tại BV. Chợ Rẫy.| Ông N.V.T. (Q. 7) đã về.",
        "Mr. Smith lives in St. Paul.| He works at No. 5.",
        "He said no.| Then he left.",
        '"Really?" he said.| "Yes."| Done…| Fine',
        "1. Một ca\n|2. Hai ca",
        "Có 1.006 ca, 38.5 độ.| Tổng: 2",
        "今日は。|明日も！|はい",
        "Một dòng\r\n|\n|Dòng khác",
        "z.B. so. und so",
        "",
        "  \n ",
    ],
)
def test_sentences_end_where_a_reader_says_so(text: str) -> None:
    assert surfaces(text.replace("|", "")) == [part.strip() for part in text.split("|") if part.strip()]


@given(st.text() | st.text(alphabet='\x1f\x85aA1 .!?\n\r")。…', max_size=100))
def test_sentences_are_trimmed_disjoint_and_lose_no_character(text: str) -> None:
    spans = split_sentences(text)
    last = 0
    for start, end in spans:
        assert last <= start < end
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        last = end
    assert not text[last:].strip()


def test_a_run_of_spaces_is_looked_at_once() -> None:
    # Looked at anew from each of its ends, it would take hours.
    spaces = " " * 300_000
    assert surfaces(f"Hết.{spaces}Sau") == ["Hết.", "Sau"]
    assert surfaces(f"z.B. so.{spaces}“ und so") == [f"z.B. so.{spaces}“ und so"]
