"""Rules as a file of their own, for where the model goes without its project."""

from __future__ import annotations

import json
from collections.abc import Iterable

from viner.rules.recognition import RecognitionRules

_HEAD = "# Rules that recognize beside a model, with all that they need: viner.load(MODEL, rules=FILE)\n"


def rules_toml(rules: RecognitionRules) -> str:
    """The rules that recognize as TOML, lists of terms and what is said about their labels included.

    :meth:`RecognitionRules.read` reads it wherever it lies, and answers the same. The same rules give the same text, which
    names no file.
    """
    types = [f"{{{', '.join(f'{key} = {_quoted(value)}' for key, value in item.to_dict().items())}}}" for item in rules.types]
    blocks = [f'{_HEAD}\n[[schema.layers]]\nname = "entities"\nkind = "entities"\n{_list("types", types)}']
    for dictionary in rules.dictionaries:
        case = "ignore_case = true\n" if dictionary.ignore_case else ""
        terms = _list("terms", map(_quoted, dictionary.terms))
        blocks.append(f"[[rules.dictionaries]]\n{_said(dictionary.label, dictionary.recognize)}{case}{terms}")
    for pattern in rules.patterns:
        said = _said(pattern.label, pattern.recognize)
        blocks.append(f"[[rules.patterns]]\n{said}pattern = {_quoted(pattern.pattern)}\n")
    return "\n".join(blocks)


def _said(label: str, recognize: str) -> str:
    return f"label = {_quoted(label)}\nrecognize = {_quoted(recognize)}\n"


def _list(key: str, values: Iterable[str]) -> str:
    return f"{key} = [\n{''.join(f'    {value},' + chr(10) for value in values)}]\n"


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's, in which DEL may not stand as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
