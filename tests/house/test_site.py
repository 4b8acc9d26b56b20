"""The site that `make docs` built, as .ci/run does before the tests."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from support.commands import ROOT, verbs

SITE = ROOT / "build" / "docs"

pytestmark = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="no site in build/docs: make docs builds it")

_LOADED = re.compile(r"<(?:script|img|iframe|source|video|audio)\b[^>]*?\ssrc=\"([^\"]*)\"|<link\b([^>]*)>", re.IGNORECASE)


def loaded(page: Path) -> Iterator[str]:
    """Addresses of what a browser loads with a page: scripts, images, style sheets, icons, fonts."""
    for source, link in _LOADED.findall(page.read_text(encoding="utf-8")):
        if source:
            yield source
        elif re.search(r'rel="(?:stylesheet|icon|shortcut icon|preload|modulepreload|preconnect|manifest)"', link):
            yield re.findall(r'href="([^"]*)"', link)[0]


def test_a_browser_loads_nothing_from_elsewhere():
    pages = sorted(SITE.rglob("*.html"))
    assert len(pages) > 15
    addresses = {(page.name, address) for page in pages for address in loaded(page)}
    for sheet in SITE.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        addresses |= {(sheet.name, address) for address in re.findall(r"(?:url\(|@import )[\"']?([^)\"']+)", text)}
    assert len(addresses) > 20
    assert {(page, address) for page, address in addresses if re.match(r"(?:https?:)?//", address)} == set()


def test_what_a_page_loads_is_there():
    for page in SITE.rglob("*.html"):
        for address in loaded(page):
            if not address.startswith(("data:", "#")):
                assert (page.parent / re.sub(r"[?#].*", "", address)).is_file(), f"{page}: {address}"


def test_every_verb_and_option_is_in_the_reference():
    text = (SITE / "reference" / "command-line.html").read_text(encoding="utf-8")
    shown = html.unescape(re.sub(r"<[^>]*>", "", text))
    for verb, command in verbs().items():
        assert f"viner {verb}" in shown
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert {option for option in parameter.opts if option not in shown} == set(), verb
