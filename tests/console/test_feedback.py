from __future__ import annotations

import re
from html import unescape

from viner.console.feedback import _choices, kept_view, quote_view, terms_view
from viner.console.feedback_messages import FEEDBACK_MESSAGES
from viner.console.messages import Messages
from viner.console.studio_messages import STUDIO_MESSAGES
from viner.document import Document, Entity

EN, VI = Messages("en"), Messages("vi")
EVIL = "<img src=x onerror=alert(1)>"


def words(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html))


def test_messages_have_both_languages_and_names_of_their_own() -> None:
    assert not FEEDBACK_MESSAGES.keys() & STUDIO_MESSAGES.keys()
    for english, vietnamese in FEEDBACK_MESSAGES.values():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", vietnamese))
        assert english != vietnamese


def test_the_form_says_what_is_kept_and_what_the_operator_says_about_it() -> None:
    said = words(kept_view(EN, "Deleted after 90 days."))
    for part in ("the text below", "the model's name and the time", "Your name and address are not kept"):
        assert part in said
    assert "The operator says: Deleted after 90 days." in said
    assert EN("flag_no_note") in words(kept_view(EN, ""))
    assert VI("flag_no_note") in words(kept_view(VI, ""))
    assert "Deleted after 90 days." in words(terms_view(VI, "Deleted after 90 days."))


def test_texts_and_notes_are_escaped_and_long_texts_are_quoted_in_part() -> None:
    assert "<img" not in kept_view(EN, EVIL) + terms_view(EN, EVIL) + quote_view(EN, EVIL)
    view = quote_view(EN, "một " * 1_000)
    assert "4,000 characters" in view
    assert len(words(view)) < 500


def test_each_span_can_be_ticked_once_whatever_its_labels() -> None:
    entities = [Entity(4, 7, "PLACE"), Entity(0, 7, "ORG"), Entity(4, 7, "NAME"), *([Entity(0, 1, "X")] * 3)]
    assert _choices(Document("ra  Huế", entities=entities)) == [
        ("r · X, X, X", "0-1"),
        ("ra Huế · ORG", "0-7"),
        ("Huế · PLACE, NAME", "4-7"),
    ]
