"""How Sphinx makes the site of these pages: ``make docs`` builds it into build/docs. It loads nothing from elsewhere."""

from __future__ import annotations

import posixpath
import re

import click
from sphinx.application import Sphinx

import viner

project = "viner"
author = "the viner maintainers"
project_copyright = "the viner maintainers, Apache-2.0"
version = release = viner.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]

# Pages are read on GitHub as well: headings get the names that GitHub gives them.
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
autodoc_default_options = {"members": True, "undoc-members": False}
python_use_unqualified_type_names = True
add_module_names = False
maximum_signature_line_length = 88

# What is written stays as it is: `--out` is no dash.
smartquotes = False

# Every cross-reference must lead somewhere. What is not viner's has its pages elsewhere, and the site is read offline.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!viner\b).*")]

html_theme = "furo"
html_title = f"viner {release}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

# What lies beside docs/ and is linked to from a page, by the page that says the same on the site.
_INSTEAD = {
    "ARCHITECTURE.md": "design.md",
    "README.md": "reference/install.md",
    "CHANGELOG.md": "changelog.md",
    "ROADMAP.md": "roadmap.md",
}


def lead_to_the_site(app: Sphinx, page: str, source: list[str]) -> None:
    """Turns links that leave docs/, as GitHub needs them, into links to the page that says the same here."""
    top = posixpath.relpath(".", posixpath.dirname(page) or ".")

    def target(match: re.Match[str]) -> str:
        return f"]({posixpath.normpath(posixpath.join(top, _INSTEAD[match[1]]))}{match[2] or ''})"

    outside = re.escape(posixpath.normpath(posixpath.join(top, "..")))
    source[0] = re.sub(rf"\]\({outside}/({'|'.join(map(re.escape, _INSTEAD))})(#[^)]*)?\)", target, source[0])


def show_as_code(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Makes code of what the help of a verb sets in backticks, and of its examples, which keep their line ends."""
    shown: list[str] = []
    for line in lines:
        if not line.startswith("|"):
            shown.append(re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line))
        elif line.startswith("|   "):
            if not shown[-1].startswith("   "):
                shown += ["", ".. code-block:: text", ""]
            shown.append(line[1:])
        else:
            shown.append(line.removeprefix("|").strip())
    lines[:] = shown


def setup(app: Sphinx) -> None:
    """Adds what is above."""
    app.connect("source-read", lead_to_the_site)
    app.connect("sphinx-click-process-description", show_as_code)
    app.connect("sphinx-click-process-options", show_as_code)
