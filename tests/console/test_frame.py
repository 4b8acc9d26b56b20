from __future__ import annotations

from types import SimpleNamespace

import pytest

from viner.console.frame import SECTIONS, header, problem, who_is
from viner.console.messages import Messages
from viner.errors import VinerError
from viner.languages import LANGUAGES
from viner.store import StoreLockedError


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", [key for key, _ in SECTIONS if key != "annotate"])
def test_a_header_leads_everywhere_and_says_where_one_is(language: str, page: str) -> None:
    say = Messages(language)
    html = header(say, page, "A <b>project</b>")
    assert "<b>" not in html
    assert f'aria-current="page">{say(page)}</a>' in html
    for _, address in SECTIONS:
        assert f'href="{address}"' in html
    assert "logout" not in html


def test_who_is_logged_in_can_log_out() -> None:
    html = header(Messages("en"), "train", "p", who="<Lan>")
    assert "Logged in as &lt;Lan&gt;" in html
    assert '<form class="viner-account" method="post" action="../logout">' in html


def test_a_request_without_a_name_is_local() -> None:
    assert who_is(SimpleNamespace(username=None)) == "local"
    assert who_is(SimpleNamespace(username="lan")) == "lan"


def test_errors_speak_the_language_of_the_page() -> None:
    vi = Messages("vi")
    locked = problem(vi, StoreLockedError("another program holds it"))
    assert vi("error_store_locked") in locked
    assert "another program" in locked  # folded away
    assert vi("error_general") in problem(vi, VinerError("something of its own"))
    assert "something of its own" in problem(Messages("en"), VinerError("something of its own"))
