from __future__ import annotations

import random
import time

import pytest

from viner.console.messages import Messages
from viner.console.pages import PAGE_CHARACTERS
from viner.console.view import error_view, render
from viner.document import Document, Entity
from viner.errors import FormatError, VinerError
from viner.languages import LANGUAGES

TYPES = ("LOC", "ORG")
EN = Messages("en")


def document(text: str = "Kenya Red Cross", **fields: object) -> Document:
    entities = [Entity(0, 5, "LOC", score=0.6), Entity(0, len(text), "ORG", score=0.9)]
    return Document(text, entities=entities, **fields)  # type: ignore[arg-type]


def test_filters_hide_types_and_low_scores_and_say_so() -> None:
    everything = render([document()], TYPES, EN, labels=TYPES, least=0.0)
    assert "2 entities" in everything.summary
    assert everything.table.count("<tr>") == 3
    confident = render([document()], TYPES, EN, labels=TYPES, least=0.7)
    assert "1 of 2 entities shown" in confident.summary
    assert confident.table.count("<tr>") == 2
    assert 'data-label="LOC"' not in confident.text
    places = render([document()], TYPES, EN, labels=["LOC"], least=0.0)
    assert 'data-label="LOC"' in places.text
    assert 'data-label="ORG"' not in places.text


def test_an_entity_without_a_score_passes_every_filter() -> None:
    view = render([Document("abc", entities=[Entity(0, 1, "LOC")])], TYPES, EN, labels=TYPES, least=1.0)
    assert 'data-label="LOC"' in view.text


def test_nothing_found_and_nothing_shown_are_different() -> None:
    assert EN("none_found") in render([Document("abc", entities=[])], TYPES, EN, labels=TYPES, least=0).text
    hidden = render([document()], TYPES, EN, labels=[], least=0)
    assert EN("none_shown") in hidden.text
    assert hidden.table == ""


def test_the_table_links_to_the_marks() -> None:
    view = render([document(), document()], TYPES, EN, labels=TYPES, least=0)
    for anchor in ("viner-d0e0", "viner-d0e1", "viner-d1e0", "viner-d1e1"):
        assert f'href="#{anchor}"' in view.table
        assert f'id="{anchor}"' in view.text


def test_hostile_ids_surfaces_and_labels_are_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    hostile = Document(evil, id=evil, entities=[Entity(0, len(evil), evil, score=0.9)])
    view = render([hostile, hostile], (evil,), EN, labels=[evil], least=0)
    assert "<img" not in view.text + view.table + view.summary
    assert "<img" not in error_view(EN, evil, evil, evil)


def test_many_documents_come_in_pages_that_filters_do_not_move() -> None:
    documents = [document(id=f"n{index}") for index in range(120)]
    first = render(documents, TYPES, EN, labels=TYPES, least=0)
    assert (first.page, first.pages) == (0, 3)
    assert first.position == "Documents 1–50 of 120"
    last = render(documents, TYPES, EN, labels=["LOC"], least=0, page=99)
    assert (last.page, last.position) == (2, "Documents 101–120 of 120")
    assert "n119" in last.text


def test_a_very_long_document_is_cut_for_display_only() -> None:
    long = Document("x" * (PAGE_CHARACTERS + 10), entities=[Entity(PAGE_CHARACTERS, PAGE_CHARACTERS + 3, "LOC", score=1.0)])
    view = render([long], TYPES, EN, labels=TYPES, least=0)
    assert EN("cut", shown="60,000", count="60,010") in view.text
    assert "href" not in view.table


def test_five_thousand_words_with_five_hundred_entities_render_quickly() -> None:
    source = random.Random(7)
    text = " ".join("".join(source.choices("abcdefgh", k=6)) for _ in range(5000))
    entities = [Entity(index * 70, index * 70 + 13, source.choice(TYPES), score=0.8) for index in range(500)]
    began = time.process_time()  # not the wall clock: the machine may be busy
    view = render([Document(text, entities=entities)], TYPES, EN, labels=TYPES, least=0)
    assert time.process_time() - began < 0.5
    assert view.text.count("data-label") == 500


def test_errors_speak_the_language_of_the_page() -> None:
    error = FormatError("not JSON: Expecting value (column 3)", where="x.jsonl:2", hint="Each line is one JSON object")
    assert EN.explain(error) == (error.message, error.hint, None)
    message, hint, detail = Messages("vi").explain(error)
    assert message.startswith("Không đọc được tệp")
    assert hint is not None
    assert "JSON" in hint
    view = error_view(Messages("vi"), message, error.where, hint, detail)
    assert "<code>x.jsonl:2</code>" in view
    assert view.index("not JSON") > view.index('<code lang="en">')  # the English original, folded away
    assert Messages("vi").explain(VinerError("no code of its own"))[0].startswith("Không đọc được văn bản")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_exists_in_every_language(language: str) -> None:
    from viner.console.messages import _MESSAGES

    for key, texts in _MESSAGES.items():
        assert len(texts) == len(LANGUAGES), key
        assert all(text.strip() for text in texts), key
    assert Messages(language)("text")


def test_numbers_follow_the_language() -> None:
    assert (EN.number(12345), EN.decimal(0.5, 2)) == ("12,345", "0.50")
    assert (Messages("vi").number(12345), Messages("vi").decimal(0.5, 2)) == ("12.345", "0,50")
