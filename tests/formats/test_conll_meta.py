"""A document's ``meta["conll"]`` that another tool wrote, or a hand has changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from viner import Document, Entity
from viner.conll_meta import conll_of
from viner.corpus import lint, statistics
from viner.corpus.perturb.rewriting import rewrite_pieces
from viner.corpus.sentences import FileLines, sentences_of
from viner.formats import read, write

FILE = "Anna\tB-PER\tx\nsings\tO\ty\n\nin\tO\tz\nHuế\tI-LOC\tx\n"


@pytest.fixture
def document(tmp_path: Path) -> Document:
    (tmp_path / "a.conll").write_text("# newdoc id = 7\n" + FILE, encoding="utf-8")
    [document] = read(tmp_path / "a.conll", tag_column=1, comments=True)
    return document


def test_what_the_reader_keeps_is_of_the_form(document: Document) -> None:
    kept = conll_of(document)
    assert kept is not None
    assert {"line", "rows", "spare", "lines", "tags", "sentences", "odd"} <= kept.keys()


@pytest.mark.parametrize(
    "change",
    [
        {"line": "x"},
        {"line": None},
        {"rows": 3},
        {"separator": ";"},
        {"separator": []},
        {"scheme": 7},
        {"scheme": "unknown"},
        {"token_column": None},
        {"token_column": 1},
        {"tag_columns": []},
        {"tag_columns": [2]},
        {"tag_columns": "1"},
        {"unread_tag_columns": 3},
        {"segments": 1},
        {"sentences": [[0, 9], [3, 12]]},
        {"sentences": [[0, 900]]},
        {"sentences": [1]},
        {"sentences": True},
        {"odd": [["a"]]},
        {"odd": 7},
        {"tags": {"1": ["O"]}},
        {"tags": ["O"]},
        {"spare": [["x"]]},
        {"spare": [["x\ny"], ["x"], ["x"], ["x"]]},
        {"lines": [["a", ""]]},
        {"lines": 5},
        {"raw": ["x"]},
        {"raw": {"0": None}},
    ],
    ids=str,
)
def test_meta_that_is_no_file_s_changes_nothing_else(document: Document, change: Mapping[str, Any], tmp_path: Path) -> None:
    changed = document.with_(meta={"conll": {**document.meta["conll"], **change}})
    statistics([changed]).to_dict()
    list(lint([changed]))
    sentences_of(changed)
    FileLines(changed).at(3)
    rewrite_pieces(changed, str.upper)
    report = write([changed], tmp_path / "b.conll")
    [again] = read(tmp_path / "b.conll", comments=True)
    assert (again.text, again.entities, again.words) == (changed.text, changed.entities, changed.words)
    if conll_of(changed) is None:
        assert [loss.what for loss in report.losses] == ["meta"]
    elif change.keys() & {"scheme", "token_column", "tag_columns"}:
        assert [loss.what for loss in report.losses] == ["other columns"]


@pytest.mark.parametrize("meta", [{"conll": 7}, {"conll": None}, {"conll": []}, {"conll": {"sentences": None}}])
def test_a_field_of_the_same_name_is_somebody_else_s(meta: Mapping[str, Any], tmp_path: Path) -> None:
    document = Document("Anna sings. Huế!", entities=[Entity(0, 4, "PER")], meta=meta)
    assert conll_of(document) is None
    assert sentences_of(document) == [(0, 11), (12, 16)]
    assert statistics([document]).schemes == set()
    write([document], tmp_path / "b.conll")
    assert [item.entities for item in read(tmp_path / "b.conll")] == [document.entities]


@pytest.mark.parametrize("name", ["", " 7", "7\n8"])
def test_an_id_that_no_mark_can_hold_is_told(name: str, tmp_path: Path) -> None:
    report = write([Document("Anna", id=name, entities=[])], tmp_path / "a.conll")
    assert [loss.what for loss in report.losses] == ["id"]
