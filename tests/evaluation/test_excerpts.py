from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.evaluation.excerpts import CONTEXT, LONGEST, Excerpts, clipped
from viner.text import split_words


def excerpts(text: str, gold: list[Entity] | None = None, predicted: list[Entity] | None = None) -> Excerpts:
    words = split_words(text)
    return Excerpts(Document(text, id="d", entities=gold or []), Document(text, words=words, entities=predicted or []), 7)


def test_a_short_document_is_there_whole():
    excerpt = excerpts("Lan ở Huế.").cut(6, 9)
    assert (excerpt.text, excerpt.start, excerpt.name) == ("Lan ở Huế.", 0, "d")
    assert not excerpt.before
    assert not excerpt.after


def test_a_long_document_is_cut_between_words():
    text = "một hai " * 60 + "Huế" + " ba bốn" * 60
    at = text.index("Huế")
    excerpt = excerpts(text).cut(at, at + 3)
    assert len(excerpt.text) < 2 * CONTEXT + 20
    assert excerpt.text.split()[0] in ("một", "hai")
    assert excerpt.text.split()[-1] in ("ba", "bốn")
    assert text[excerpt.start :].startswith(excerpt.text)
    assert excerpt.before
    assert excerpt.after


def test_a_span_without_end_is_shown_from_its_start():
    text = "x" * 5000
    excerpt = excerpts(text).cut(1000, 5000)
    assert excerpt.start <= 1000 < excerpt.start + len(excerpt.text)
    assert len(excerpt.text) <= LONGEST + 64


def test_an_error_deep_in_a_long_word_is_shown():
    text = "x" * 1400 + "Lan y"
    excerpt = excerpts(text).cut(1400, 1403)
    assert excerpt.start < 1400
    assert "Lan" in excerpt.text
    assert len(excerpt.text) < 300


def test_entities_come_with_the_offsets_of_the_document_and_are_clipped_for_the_eye():
    text = "a " * 200 + "Lan" + " b" * 400
    entity = Entity(0, len(text), "ALL")
    lan = Entity(400, 403, "PER")
    excerpt = excerpts(text, [entity, lan]).cut(400, 403)
    assert excerpt.gold == (entity, lan)
    assert clipped(excerpt.gold, excerpt) == [(0, len(excerpt.text)), (400 - excerpt.start, 403 - excerpt.start)]


def test_an_unnamed_document_goes_by_its_number():
    assert Excerpts(Document("a", entities=[]), Document("a"), 7).cut(0, 1).name == "7"


def test_the_line_of_the_file_is_that_of_the_error():
    meta = {"conll": {"line": 10}}
    gold = Document("ở Huế", words=[(0, 1), (2, 5)], meta=meta, entities=[])
    assert Excerpts(gold, gold, 1).cut(2, 5).line == 11


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=900), st.data())
def test_an_excerpt_is_the_text_at_its_offset_and_holds_the_start_of_its_span(text, data):
    cutter = excerpts(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    excerpt = cutter.cut(start, end)
    assert text[excerpt.start : excerpt.start + len(excerpt.text)] == excerpt.text
    assert excerpt.start <= start < excerpt.start + len(excerpt.text)
    if end - start < LONGEST - 2 * CONTEXT - 128:
        assert excerpt.start + len(excerpt.text) >= end
