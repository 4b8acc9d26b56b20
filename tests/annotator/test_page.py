"""The page's HTML: every language, nothing inline, nothing from elsewhere, and no module that it has to wait for."""

import re
from html.parser import HTMLParser

import pytest

from viner.annotator import page, static_folder
from viner.languages import LANGUAGES
from viner.store.checks import MOST


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_its_language(language):
    assert ("html", {"lang": language}) in Elements(page(language)).found


def test_an_unknown_language_gets_the_first_one():
    assert page("xx") == page(LANGUAGES[0])


def test_nothing_is_inline_and_nothing_comes_from_elsewhere():
    for tag, attrs in Elements(page("vi")).found:
        assert tag != "style"
        assert not [name for name in attrs if name == "style" or name.startswith("on")]
        assert tag != "script" or attrs["src"]
        for name in ("src", "href"):
            assert attrs.get(name, "static/").startswith("static/")


def test_every_module_is_named_before_it_is_needed():
    named = {attrs["href"] for tag, attrs in Elements(page("en")).found if attrs.get("rel") == "modulepreload"}
    assert named == {f"static/{path.name}" for path in static_folder().glob("*.js")}


def test_modules_import_only_modules_of_the_page():
    names = {path.name for path in static_folder().glob("*.js")}
    for path in static_folder().glob("*.js"):
        for imported in re.findall(r"^import .* from \"([^\"]+)\"", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert imported.startswith("./")
            assert imported[2:] in names, f"{path.name} imports {imported}"


def test_the_page_sends_as_much_at_once_as_the_store_takes():
    model = (static_folder() / "model.js").read_text(encoding="utf-8")
    assert f"MOST_AT_ONCE = {MOST:_};" in model


def test_text_never_becomes_html():
    """The page shows hostile documents: whatever reads HTML from a string is out."""
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\(|new Function"
    )
    for path in static_folder().glob("*.js"):
        assert not forbidden.search(path.read_text(encoding="utf-8")), path.name
