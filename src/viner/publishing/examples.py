"""The texts that visitors of a published app may try."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from viner.document import Document
from viner.errors import InputError
from viner.formats import read
from viner.rules.ruled import RecognizerLike
from viner.samples.examples import NEWS, NOTICES, Example
from viner.workflow.markdown import one_line

_EACH = 2
"""Bundled examples in each language."""
_MOST = 8
_LONGEST_TITLE = 28


def bundled_examples(recognizer: RecognizerLike, languages: Sequence[str] = ()) -> list[Example]:
    """The bundled examples that show what a model knows: those in which it finds something, most of its types first.

    Args:
        recognizer: The model, with its rules where it has some.
        languages: The languages that it learned (BCP 47). Examples in others are left out, unless there would be none.
    """
    known = {code.partition("-")[0].lower() for code in languages}
    examples = [example for example in (*NOTICES, *NEWS) if example.language in known] or [*NOTICES, *NEWS]
    answers = recognizer.stream([example.text for example in examples])
    ranked = sorted(zip(map(_shown, answers), examples, strict=True), key=lambda pair: pair[0], reverse=True)
    chosen: list[Example] = []
    for (labels, _), example in ranked:
        if labels and sum(other.language == example.language for other in chosen) < _EACH:
            chosen.append(example)
    return chosen


def own_examples(path: Path, language: str = "") -> list[Example]:
    """The first documents of a file as examples; a title is how the text begins.

    Args:
        path: A file of any format that viner reads.
        language: Their language, where it is known.

    Raises:
        InputError: If the file cannot be read or holds no text.
    """
    texts = _texts(read(path))
    if not texts:
        raise InputError("there is no text in it", where=path, hint="Give a file with one example a line")
    return [Example(language, _title(text), text) for text in texts]


def _texts(documents: Iterable[Document]) -> list[str]:
    found: list[str] = []
    for document in documents:
        if document.text.strip():
            found.append(document.text)
        if len(found) == _MOST:
            break
    return found


def _shown(document: Document) -> tuple[int, int]:
    """How many types and entities a document shows."""
    entities = document.entities or ()
    return len({entity.label for entity in entities}), len(entities)


def _title(text: str) -> str:
    line = one_line(text)
    if len(line) <= _LONGEST_TITLE:
        return line
    return f"{line[:_LONGEST_TITLE].rpartition(' ')[0] or line[:_LONGEST_TITLE]} …"
