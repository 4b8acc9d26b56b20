from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from viner.workflow.markdown import escape

ODD = [
    "a|b", "*bold*", "_under_ score", "SYMPTOM_AND_DISEASE", "__init__", "`code`", "[text](https://example.org)", "![](x.png)",
    "<script>alert(1)</script>", "<!-- hidden -->", "&lt;", "&copy;", "~~gone~~", "$x^2$", "back\\slash", "\\|", "# heading",
    '"quoted"', "it's", "emoji 😷", "Bệnh nhân", "a\nb", "a\r\n\r\n- b", "tab\there", "a\u2028b", "- item", "1. item", "---",
    "***", "x**y**z", ":smile:", "https://example.org/_a_b_",
]  # fmt: skip


def rendered(text: str) -> str:
    """What a reader sees in a cell of a table with this text, tags and all."""
    table = f"| a | b |\n|---|---|\n| x{escape(text)}x | |\n"
    page = MarkdownIt("gfm-like", {"linkify": False}).render(table)
    cells = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)
    assert len(cells) == 2, page
    return cells[0]


def on_one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


@pytest.mark.parametrize("text", ODD)
def test_a_cell_shows_just_the_text(text):
    assert html.unescape(rendered(text)) == f"x{on_one_line(text)}x"
    assert "<" not in rendered(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_so_it_does_with_any_text(text):
    assert html.unescape(rendered(text)) == f"x{on_one_line(text)}x"


def test_usual_labels_stay_as_they_are():
    assert escape("SYMPTOM_AND_DISEASE") == "SYMPTOM_AND_DISEASE"
    assert escape("Bệnh nhân 19") == "Bệnh nhân 19"
