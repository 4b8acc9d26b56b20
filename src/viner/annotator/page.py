"""The page's HTML and where its files lie."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path

from viner.languages import LANGUAGES

_TITLES = {"en": "viner · Annotate", "vi": "viner · Gán nhãn"}
_LOADING = {"en": "Loading…", "vi": "Đang tải…"}
_NO_SCRIPT = {
    "en": "The annotation page needs JavaScript: allow it for this address.",
    "vi": "Trang gán nhãn cần JavaScript: hãy bật cho địa chỉ này.",
}


_IMPORT = re.compile(r'^import [^"]* from "\./([^"]+)"', re.MULTILINE)


def static_folder() -> Path:
    """The folder of the page's scripts and style sheet, to be served as ``static/`` beside the page."""
    return Path(__file__).parent / "static"


def _modules() -> list[str]:
    """Every module in the order in which the page needs it: first what asks for the document, with its imports."""
    names: list[str] = []
    for entry in ("start.js", "page.js"):
        pending = [entry]
        for name in pending:  # grows while it is walked through
            if name not in names:
                names.append(name)
                pending += _IMPORT.findall((static_folder() / name).read_text(encoding="utf-8"))
    return names


@cache
def page(language: str) -> str:
    """The HTML of the page; its scripts ask the API under ``api/``, beside it, for everything else.

    It has neither inline scripts nor inline styles, so it works under ``default-src 'self'``. All modules are named at the
    beginning, so that the browser fetches them at once and not one after the other.

    Args:
        language: One of :data:`viner.languages.LANGUAGES`; any other code means the first one.
    """
    code = language if language in LANGUAGES else LANGUAGES[0]
    preloads = "\n".join(f'<link rel="modulepreload" href="static/{name}">' for name in _modules())
    return f"""<!doctype html>
<html lang="{code}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(_TITLES[code])}</title>
<script type="module" src="static/start.js"></script>
<link rel="stylesheet" href="static/annotator.css">
{preloads}
<script type="module" src="static/page.js"></script>
</head>
<body>
<p class="loading">{escape(_LOADING[code])}</p>
<noscript><p>{escape(_NO_SCRIPT[code])}</p></noscript>
</body>
</html>
"""
