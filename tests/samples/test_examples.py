from __future__ import annotations

import pytest

from viner.errors import InputError
from viner.samples.examples import NEWS, NOTICES, Example, in_order, read_examples, write_examples


def test_examples_come_back_as_they_were(tmp_path):
    examples = (*NOTICES, *NEWS, Example("", 'Dấu "nháy" & <b>', "😷\nHuế\t"))
    write_examples(examples, tmp_path / "examples.json")
    assert read_examples(tmp_path / "examples.json") == examples


def test_those_in_the_language_of_the_page_come_first():
    assert [example.language for example in in_order((*NEWS, *NOTICES), "en")][:3] == ["en"] * 3


@pytest.mark.parametrize(
    "content", ["", "{}x", '[{"title": "x"}]', '[{"language": 1, "title": "x", "text": "y"}]', "[3]", "{}"]
)
def test_anything_else_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "examples.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        read_examples(path)
