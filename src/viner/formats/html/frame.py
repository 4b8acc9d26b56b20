"""What pages that viner writes have in common: nothing is fetched, nothing runs, light and dark."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from viner.formats.html.marks import visible

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What stands in a document cannot run or fetch anything, even if it got past the escaping."""

CLOSE = "</main>\n</body>\n</html>\n"
"""What ends a page."""


def open_page(title: str, style: str, subtitle: str, more: str = "", *, language: str = "en") -> str:
    """What begins a page, up to its main part.

    Args:
        title: Its title, plain text.
        style: Its style sheet, which comes behind the common one.
        subtitle: Stands beside the title, plain text.
        more: HTML at the end of the header.
        language: Code of the language of the page's own words.
    """
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{visible(title)}</title>\n<style>\n{_common_style()}{style}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{visible(title)}</h1>\n<p>{visible(subtitle)}</p>\n{more}</header>\n<main>\n"
    )


@cache
def _common_style() -> str:
    return files("viner.formats.html").joinpath("frame.css").read_text(encoding="utf-8")
