from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.errors import InputError
from viner.formats import read, write
from viner.schema import ENTITIES, Layer, Schema, Type

NASTY = "</span><script>alert(1)</script>\"'<img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would find on the page."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.headings: list[str] = []
        self.legend: list[str] = []
        self._open: list[str] = []
        self.feed(content)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self._open.append(tag)
        if tag == "p" and ("class", "text") in attrs:
            self.texts.append("")
        if tag == "h2":
            self.headings.append("")
        if tag == "li":
            self.legend.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "article" in self._open and "p" in self._open:
            self.texts[-1] += data
        if "h2" in self._open:
            self.headings[-1] += data
        if "li" in self._open:
            self.legend[-1] += data


def page(folder: Path, documents: list[Document], **options) -> tuple[Page, str]:
    write(documents, folder / "a.html", **options)
    content = (folder / "a.html").read_bytes().decode()
    return Page(content), content


def test_texts_come_whole_with_a_legend_that_counts(tmp_path: Path) -> None:
    documents = [
        Document("Lan ở Huế", id="n1", entities=[Entity(0, 3, "PERSON", score=0.98), Entity(6, 9, "LOCATION")]),
        Document("Minh\n ở  nhà", entities=[Entity(0, 4, "PERSON")]),
    ]
    found, content = page(tmp_path, documents)
    assert found.texts == ["Lan ở Huế", "Minh\n ở  nhà"]
    assert found.headings == ["n1", "2"]
    assert [" ".join(item.split()) for item in found.legend] == ["PERSON 2", "LOCATION 1"]
    assert "2 documents, 3 entities" in content
    assert 'data-tip="PERSON · 98 %"' in content


def test_a_schema_gives_order_colors_and_descriptions(tmp_path: Path) -> None:
    types = (Type("LOCATION", "A <place>", "#123456"), Type("PERSON", color="red; } body { display: none"))
    schema = Schema((Layer(ENTITIES, "entities", types),))
    found, content = page(tmp_path, [Document("Lan", entities=[Entity(0, 3, "X"), Entity(0, 3, "PERSON")])], schema=schema)
    assert [" ".join(item.split()) for item in found.legend] == ["LOCATION 0", "PERSON 1", "X 1"]
    assert ".t0 { --type: #123456; }" in content
    assert "display: none" not in content
    assert 'title="A &lt;place&gt;"' in content


def test_nothing_of_a_document_becomes_markup(tmp_path: Path) -> None:
    label = f"L{NASTY}"
    document = Document(NASTY, id=NASTY, meta={NASTY: NASTY}, entities=[Entity(0, 9, label), Entity(5, 20, label)])
    found, content = page(tmp_path, [document], title=NASTY)
    assert found.texts == [NASTY]
    assert not {"script", "img", "link", "iframe"} & set(found.tags)
    assert not {name for name in found.attributes if name.startswith("on")} | ({"src", "href"} & found.attributes)
    assert "default-src 'none'" in content


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("<>&\"'\n"), max_size=30)))
def test_any_texts_come_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    documents = [Document(text, entities=[Entity(0, len(text), text)] if text.strip() else []) for text in texts]
    found, _ = page(tmp_path_factory.mktemp("html"), documents)
    assert found.texts == texts


def test_it_stands_alone(tmp_path: Path) -> None:
    _, content = page(tmp_path, [Document("a")])
    assert not re.search(r"https?://|@import|url\(", content)
    assert "prefers-color-scheme: dark" in content


def test_what_is_not_shown_is_reported(tmp_path: Path) -> None:
    report = write([Document("a", labels={"topic": ["x"]})], tmp_path / "a.html")
    assert dict(report.lost) == {"the format has no place for labels": 1}


def test_it_is_not_read(tmp_path: Path) -> None:
    write([Document("a")], tmp_path / "a.html")
    with pytest.raises(InputError, match="does not read"):
        read(tmp_path / "a.html")
