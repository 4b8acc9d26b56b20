from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.errors import FormatError
from viner.formats import read, write

SAMPLE = r"""# id: notice-12
# lang: vi
BN [91](PATIENT_ID), phi công của [Vietnam Airlines](ORGANIZATION),
ở [[Quận 7](LOCATION), TP. HCM](LOCATION) \[sic\].


No header, a backslash \\ and a # sign.
"""


def test_people_can_write_it(tmp_path: Path) -> None:
    path = tmp_path / "a.inline"
    path.write_text(SAMPLE)
    first, second = read(path)
    assert first.id == "notice-12"
    assert first.meta == {"lang": "vi"}
    assert first.text == "BN 91, phi công của Vietnam Airlines,\nở Quận 7, TP. HCM [sic]."
    assert [(entity.text, entity.label) for entity in first.entities or ()] == [
        ("91", "PATIENT_ID"),
        ("Vietnam Airlines", "ORGANIZATION"),
        ("Quận 7, TP. HCM", "LOCATION"),
        ("Quận 7", "LOCATION"),
    ]
    assert (second.id, second.text, second.entities) == ("a:2", "No header, a backslash \\ and a # sign.", ())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a [b c", "'[' is not closed on its line"),
        ("a b](X)", "']' closes nothing (column 4)"),
        ("a [b] c", "']' without a label after it (column 5)"),
        ("a [](X)", "an empty entity (column 4)"),
        (r"a \q", r"unknown escape '\\q' (column 3)"),
    ],
)
def test_errors_name_file_line_and_column(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "a.inline"
    path.write_text(f"fine\n{line}\n")
    with pytest.raises(FormatError) as caught:
        list(read(path))
    assert caught.value.where == f"{path}:2"
    assert message in caught.value.message


def test_what_the_markup_cannot_say_is_reported(tmp_path: Path) -> None:
    entities = [Entity(0, 3, "A"), Entity(2, 5, "B"), Entity(4, 7, "C"), Entity(4, 5, "D E")]
    report = write([Document("ab cd\nef", meta={"n": 1}, entities=entities), Document("")], tmp_path / "a.inline")
    assert report.entities == 1
    assert dict(report.lost) == {
        "it crosses another entity": 1,
        "it runs over a line end": 1,
        "its label holds a space or a bracket": 1,
        "a header holds a name and one line of text": 1,
        "an empty text without id leaves nothing to write": 1,
        "the format cannot say that nobody annotated a document: it will count as one without entities": 1,
    }


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(st.text(max_size=30) | st.text("ab [](){}\\#:\n\r\t\u2028é", max_size=30))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    spans = [(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=False) if start < end]
    spans += [(start, end - 1) for start, end in spans if end - start > 2 and draw(st.booleans())]
    entities = [Entity(start, end, "LABEL-1") for start, end in sorted(spans, key=lambda span: (span[0], -span[1]))]
    entities = [entity for entity in entities if "\n" not in text[entity.start : entity.end]]
    return Document(text, id=draw(st.sampled_from(["d", "x: [y]"])), meta={"lang": "vi"}, entities=entities)


@settings(max_examples=100, deadline=None)
@given(st.lists(documents(), max_size=4))
def test_any_text_comes_back_exactly(tmp_path_factory: pytest.TempPathFactory, originals: list[Document]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.inline"
    report = write(originals, path)
    assert not report.lost
    assert list(read(path, format="inline")) == originals
