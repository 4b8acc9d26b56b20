from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.bulk.occurrences import occurrences, same_name, stand_in
from viner.text import Graphemes

NFD = unicodedata.normalize("NFD", "Huế")


def found(names: list[str], text: str) -> list[str]:
    return [text[start:end] for start, end, _ in occurrences({same_name(name) for name in names}, text)]


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        (["Huế"], f"Huế và {NFD}.", ["Huế", NFD]),
        ([NFD], f"Huế và {NFD}.", ["Huế", NFD]),
        (["Nguyễn Văn A"], "Nguyễn Văn A, Nguyễn\nVăn  A", ["Nguyễn Văn A", "Nguyễn\nVăn  A"]),
        (["Le"], unicodedata.normalize("NFD", "Anh Le gặp chị Lê."), ["Le"]),
        (["Lan"], "Lanh Lan_x Lan", ["Lan"]),
        (["Lan", "Lan Anh"], "Lan Anh và Lan", ["Lan Anh", "Lan"]),
        (["Nguyễn Văn", "Văn An"], "Sau đó Nguyễn Văn An về.", ["Nguyễn Văn", "Văn An"]),
        (["Lan Anh Lan"], "Lan Anh Lan Anh Lan", ["Lan Anh Lan", "Lan Anh Lan"]),
        (["x"], "x\u0302 x", ["x"]),
        (["Hoà"], "Hòa, HÒA, Ho\u0300a, hoà, Hoàn.", ["Hòa", "Ho\u0300a"]),
        (["Chị Thúy"], f"{NFD} chị Thuý, Chị\nThuý", ["Chị\nThuý"]),
        ([], "Lan", []),
        ([" "], "Lan  Lan", []),
    ],
)
def test_names_are_found_however_they_are_written_and_never_in_part(names, text, expected) -> None:
    assert found(names, text) == expected


@given(
    st.text("Lheoauyòàù\u0302\u0301\u0300\u0321 ế\n\U0001f468\u200d\u1112\u1161.", max_size=30),
    st.text("Lhoa\u0302\u0300òàù\u1112 ế", min_size=1, max_size=5),
)
def test_spans_lie_between_characters_and_say_the_name(text: str, name: str) -> None:
    graphemes = Graphemes(text)
    for start, end, told in occurrences({same_name(name)}, text):
        assert told == same_name(name) == same_name(text[start:end])
        assert graphemes.is_border(start)
        assert graphemes.is_border(end)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Lan", "Lan_2024.txt"),
        ("Lan", "mail lan@x.de"),
        ("Lan", "LAN2"),
        ("Huế", NFD),
        ("0912345678", "912345678"),
        ("0912 345 678", "+84912345678"),
        ("Nguyễn Văn An", "hồ sơ nguyễn văn an.pdf"),
        ("Nguyen", "drNguyenLan"),
        ("A", "room A_1"),
        ("Lan Anh", "Lan_Anh.pdf"),
        ("Lan Anh", "lan-anh.pdf"),
        ("Lan Anh", "LanAnh.pdf"),
        ("Lan Anh", "lan.anh@bv.vn"),
        ("Nguyễn Văn An", "Nguyễn_Văn_An.docx"),
        ("Nguyễn Văn An", "ho_so/nguyen_van_an.docx"),
        ("Nguyễn Văn An", "NGUYENVANAN2024"),
        ("Đỗ Đức Đạt", "do-duc-dat.jpg"),
        ("Hoà", "Hòa"),
        ("Hoà", "HÒA_2024.txt"),
        ("Lê An", "le.an@bv.vn"),
        ("Lê An", "LeAn2024.pdf"),
        ("BN-91", "bn91.pdf"),
    ],
)
def test_a_value_that_tells_a_name_in_any_way(name: str, value: str) -> None:
    assert stand_in({same_name(name)}, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Lan", "planning"),
        ("Lan", "vi"),
        ("A", "an"),
        ("31", "2031"),
        ("0912345678", "912"),
        ("A", "BA"),
        ("Lân", "lan.txt"),
        ("An.", "ăn"),
        ("Lê An", "clean.pdf"),
        ("3/5", "35"),
        ("Lan Anh", "lan.pdf"),
        ("...", "a_b"),
    ],
)
def test_a_value_that_tells_none(name: str, value: str) -> None:
    assert not stand_in({same_name(name)}, value)


@given(st.lists(st.text("ab ", max_size=6), max_size=8), st.text("ab ", max_size=40))
def test_of_many_names_the_longest_at_each_place_is_given(names: list[str], text: str) -> None:
    wanted = {same_name(name) for name in names} - {""}
    expected = []
    for start in range(len(text)):
        if start and not text[start - 1].isspace():
            continue
        ends = [end for end in range(start + 1, len(text) + 1) if end == len(text) or text[end].isspace()]
        fitting = [end for end in ends if same_name(text[start:end]) in wanted and text[start:end].strip() == text[start:end]]
        expected += [(start, max(fitting))] if fitting else []
    assert [(start, end) for start, end, _ in occurrences(wanted, text)] == expected
