from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from viner.document import Document
from viner.errors import InputError, UsageError
from viner.formats import detect, formats, get_format, read, registry, write


@pytest.mark.parametrize(
    ("name", "content", "format_name"),
    [
        ("a.jsonl", "", "jsonl"),
        ("a.ndjson", "", "jsonl"),
        ("a.conll", "", "conll"),
        ("a.iob2", "", "conll"),
        ("a.tsv", "", "conll"),
        ("a.inline", "", "inline"),
        ("a.txt", "Một dòng.\nHai dòng.\n", "text"),
        ("a.txt", "Hà\tB-LOC\nNội\tI-LOC\n", "conll"),
        ("a.txt", "a NN O\nb NN O\n\n", "conll"),
        ("a.txt", "Ở [Hà Nội](LOCATION) hôm nay", "inline"),
        ("a.txt", "See [the page](https://example.org/x) or [this](page.html)", "text"),
        ("a.txt", "A footnote [1](see below) and [2](Anna)", "text"),
        ("a.txt", '{"text": "a"}\n', "jsonl"),
        ("a.json", '[\n  {"text": "a"}\n]', "jsonl"),
        ("a.csv", "text,label\nHi,x\n", "csv"),
        ("a.parquet", "", "parquet"),
        ("a.html", "<p>", "html"),
        ("a", "", "text"),
    ],
)
def test_formats_are_told_by_ending_then_by_content(tmp_path: Path, name: str, content: str, format_name: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert detect(path) == format_name


@pytest.mark.parametrize(("name", "content"), [("a.json", '["a", "b"]'), ("a.html", "<p>")])
def test_tables_and_markup_are_not_taken_for_text(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match="does not read") as caught:
        read(path)
    assert caught.value.where == str(path)
    assert "--format text" in (caught.value.hint or "")
    assert next(read(path, format="text")).text == content.split("\n")[0]


def test_unknown_formats_options_and_endings_are_refused_at_the_call(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a")
    with pytest.raises(UsageError, match="Formats: jsonl, conll, inline, text"):
        read(path, format="xml")
    with pytest.raises(UsageError, match=r"knows no option 'tag_columm'.*tag_column"):
        read(path, format="conll", tag_columm=3)
    with pytest.raises(UsageError, match="names no format"):
        write([], tmp_path / "a.xyz")
    assert not (tmp_path / "a.xyz").exists()


def test_other_packages_bring_formats(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = tmp_path / "shouting_format.py"
    module.write_text(
        "from viner.document import Document\n"
        "from viner.formats import Format\n"
        "def read(source):\n    yield from (Document(line.upper().strip()) for _, line in source.lines())\n"
        "FORMAT = Format('shout', 'upper case', ('.shout',), lambda head: False, read, lambda *a: None)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entries = {
        "shout": EntryPoint("shout", "shouting_format:FORMAT", registry.GROUP),
        "broken": EntryPoint("broken", "no_such_module:FORMAT", registry.GROUP),
    }
    monkeypatch.setattr(registry, "_plugins", lambda: entries)
    path = tmp_path / "a.shout"
    path.write_text("hello\n")
    assert formats() == ("jsonl", "conll", "inline", "text", "csv", "parquet", "html", "broken", "shout")
    assert list(read(path, format="shout")) == [Document("HELLO")]
    assert detect(path) == "shout"
    with pytest.raises(UsageError, match="fails to load"):
        get_format("broken")


@pytest.mark.parametrize(
    "text",
    [
        "An E-mail from Lan in Hue.\n",
        "Nhóm máu O của bệnh nhân Lan.\n",
        "Vitamin B-12\nVitamin B-6\nfolic acid\nVitamin B-1\nVitamin B-2\n",
        "Virus U-3\nVirus U-5\n",
        "the B-side\nthe B-movie\n",
        "Lan O\n",
    ],
)
def test_words_of_a_plain_text_that_look_like_tags_make_no_columns(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text, encoding="utf-8")
    assert detect(path) == "text"
    assert [document.text for document in read(path)] == text.splitlines()


@pytest.mark.parametrize(
    "text", ["Lan B-PER\nin O\n", "Lan B-PER\nMinh B-PER\n", "Lan\tO\nin\tO\n", "-DOCSTART- O\n\nLan B-PER\n"]
)
def test_columns_with_tags_are_found_in_a_text_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text, encoding="utf-8")
    assert detect(path) == "conll"
