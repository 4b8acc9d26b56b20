"""What ``meta["conll"]`` of a document tells of the file it came from.

The reader of CoNLL files writes it, and what reads it lies in several rooms. A document may come from anywhere, and its meta
may hold anything: where the field is not of this form, it is somebody else's, and tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, pairwise
from typing import Any, Final

from viner.document import Document

KEY: Final = "conll"
"""Where in ``meta`` it is."""


def conll_of(document: Document) -> Mapping[str, Any] | None:
    """The document's ``meta["conll"]``, each field of which has the form that the reader of CoNLL files gives it.

    ``line`` is the number of the first row, ``rows`` how many there are, ``separator``, ``scheme``, ``token_column`` and
    ``tag_columns`` are how they are laid out, ``sentences`` spans of the text. Others are described where they are written.

    Returns:
        None if there is no such field, or one of another form.
    """
    conll = document.meta.get(KEY)
    if not isinstance(conll, Mapping):
        return None
    if not all(is_such(conll[field]) for field, is_such in _FORMS.items() if field in conll):
        return None
    by_row = [*([conll["spare"]] if "spare" in conll else []), *conll.get("tags", {}).values()]
    if any(len(cells) != conll.get("rows") for cells in by_row):
        return None
    ends = [0, *chain.from_iterable(conll.get("sentences", ())), len(document.text)]
    return conll if all(before <= after for before, after in pairwise(ends)) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_line(value: object) -> bool:
    return isinstance(value, str) and "\n" not in value


def _list_of(is_such: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list | tuple) and all(map(is_such, value))


def _row_of(*are_such: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, list | tuple)
        and len(value) == len(are_such)
        and all(is_such(cell) for is_such, cell in zip(are_such, value, strict=True))
    )


def _mapping_to(is_such: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, Mapping) and all(map(is_such, value.values()))


_FORMS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "line": _is_number,
    "rows": _is_number,
    "scheme": _is_text,
    "separator": lambda value: value in ("\t", " "),
    "token_column": _is_number,
    "tag_columns": _list_of(_is_number),
    "unread_tag_columns": _list_of(_is_number),
    "segments": _is_text,
    "newline": _is_text,
    "sentences": _list_of(_row_of(_is_number, _is_number)),
    "odd": _list_of(_row_of(_is_number, _is_text, _is_text)),
    "dropped": _mapping_to(_is_number),
    "tags": _mapping_to(_list_of(_is_text)),
    "spare": _list_of(_list_of(_is_line)),
    "lines": _list_of(_row_of(lambda position: _is_number(position) or position == -1, _is_line)),
    "raw": _mapping_to(_is_line),
}
