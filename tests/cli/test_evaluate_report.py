"""``viner evaluate --report`` and ``--against``: the page, and what two models differ in."""

from __future__ import annotations

import json

import pytest

import viner
from viner import Entity, Schema
from viner.bundle import Origin
from viner.cli import main


class Finder:
    """A recognizer that finds the words it is named after."""

    labels = ("LOC",)
    schema = Schema.of_entities(labels)
    info = Origin(name="finder")

    def __init__(self, name):
        self._words = name.split("-")

    def stream(self, documents, *, unanswered=None):
        for document in documents:
            found = [
                Entity(document.text.index(word), document.text.index(word) + len(word), "LOC", score=0.95, source="model")
                for word in self._words
                if word in document.text
            ]
            yield document.with_(entities=found, words=document.words or [(0, len(document.text))])


@pytest.fixture
def dev(tmp_path, monkeypatch):
    monkeypatch.setattr(viner, "load", lambda name, **options: Finder(name))
    file = tmp_path / "dev.conll"
    file.write_text("ra\tO\nHuế\tB-LOC\n\nNam\tB-LOC\nvề\tO\n\n", encoding="utf-8")
    return file


def test_a_report_is_written_and_named(dev, capsys):
    page = dev.with_name("errors.html")
    assert main(["evaluate", "Huế-về", str(dev), "--report", str(page)]) == 0
    assert f"Errors in context: {page}" in capsys.readouterr().out
    content = page.read_text(encoding="utf-8")
    assert content.startswith("<!doctype html>")
    assert "Errors of Huế-về" in content


def test_json_has_the_errors_beside_the_figures(dev, capsys):
    page = dev.with_name("errors.html")
    assert main(["evaluate", "Huế-về", str(dev), "--report", str(page), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["report"] == str(page)
    assert {kind: item["count"] for kind, item in data["errors"]["kinds"].items() if item["count"]} == {
        "missed": 1,
        "spurious": 1,
    }
    (doubt,) = data["errors"]["doubts"]
    assert (doubt["line"], doubt["predicted"]["text"], doubt["gold"]) == (5, "về", None)


def test_another_model_is_compared_with_or_without_a_page(dev, capsys):
    assert main(["evaluate", "Huế", str(dev), "--against", "Nam-Huế"]) == 0
    assert "Nam-Huế instead of Huế: F1 0.6667 → 1.0000, 1 repaired, 0 broken" in capsys.readouterr().out
    page = dev.with_name("errors.html")
    assert main(["evaluate", "Huế", str(dev), "--against", "Nam", "--report", str(page), "--json"]) == 0
    against = json.loads(capsys.readouterr().out)["against"]
    assert (against["model"], against["repaired"], against["broken"]) == ("Nam", 1, 1)
    assert "What Nam changes, compared with Huế" in page.read_text(encoding="utf-8")


def test_a_page_is_in_the_language_that_was_asked_for(dev, capsys):
    page = dev.with_name("loi.html")
    assert main(["evaluate", "Huế", str(dev), "--report", str(page), "--against", "Nam", "--language", "vi"]) == 0
    assert "Errors in context" in capsys.readouterr().out
    content = page.read_text(encoding="utf-8")
    assert '<html lang="vi">' in content
    assert "Nam thay đổi những gì so với Huế" in content


def test_a_language_without_a_page_is_an_error(dev, capsys):
    assert main(["evaluate", "Huế", str(dev), "--language", "vi"]) == 2
    assert "--report errors.html" in capsys.readouterr().err
    assert main(["evaluate", "Huế", str(dev), "--report", "a.html", "--language", "de"]) == 2


def test_a_page_does_not_tell_where_a_model_lies(dev, tmp_path):
    page = dev.with_name("errors.html")
    assert main(["evaluate", "/home/lan/models/Huế", str(dev), "--report", str(page)]) == 0
    assert "Errors of Huế" in page.read_text(encoding="utf-8")
    assert "/home/lan" not in page.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_an_error(dev, capsys):
    assert main(["evaluate", "Huế", str(dev), "--report", str(dev.parent / "no" / "errors.html")]) == 1
    assert "no: there is no such folder" in capsys.readouterr().err, "and nothing was scored"
