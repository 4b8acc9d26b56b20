"""The types of a new project, as people write them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from viner.errors import InputError, SchemaError
from viner.schema import ENTITIES, Layer, Schema, Type

LONGEST_NAME = 200
"""Characters in the name of a type, as many as the store takes."""

_ENDINGS = (".txt", ".md", ".csv", ".tsv")
"""What has such an ending is meant as a file; nobody calls a type so."""


@dataclass(frozen=True, slots=True)
class Types:
    """A schema, and the guideline that came with it.

    Args:
        schema: The layers and their types.
        guideline: Markdown; None where there is none yet.
    """

    schema: Schema
    guideline: str | None = None


def read_types(given: Iterable[str]) -> Types:
    """The types that somebody asks for.

    Args:
        given: Each one of: names with commas between them, each perhaps with ``: description``; the same with semicolons, so
            that descriptions may have commas; a file with one type a line, or a schema as JSON; the name of a bundled corpus.

    Raises:
        InputError: If a file cannot be read.
        SchemaError: If there is no type, one is named twice, or a name cannot be used.
    """
    from viner.samples import corpora, corpus

    texts = [text.strip() for text in given]
    if len(texts) == 1 and texts[0] in corpora() and not Path(texts[0]).is_file():
        bundled = corpus(texts[0])
        return Types(bundled.schema(), (bundled.folder / "GUIDELINE.md").read_text(encoding="utf-8"))
    if len(texts) == 1 and texts[0].endswith(".json"):
        return Types(_from_json(Path(texts[0])))
    types = tuple(item for text in texts for item in _of_text(text))
    if not types:
        raise SchemaError("there is no type", where="types", hint="Give one at least, such as PERSON")
    return Types(Schema((Layer(ENTITIES, "entities", types),)))


def _of_text(text: str) -> list[Type]:
    if text and len(text) < 1000 and Path(text).is_file():
        lines = _read(Path(text)).splitlines()
        parts = [line for line in lines if not line.lstrip().startswith("#")]
    elif re.search(r"[;\n]", text):
        parts = re.split(r"[;\n]", text)
    elif not re.search(r"[,:]", text) and Path(text).suffix.lower() in _ENDINGS:
        raise InputError("there is no such file", where=text, hint=f"The current folder is {Path.cwd()}")
    else:
        parts = text.split(",")
    return [_type(part) for part in parts if part.strip()]


def _type(part: str) -> Type:
    name, _, description = (side.strip() for side in part.partition(":"))
    if len(name) > LONGEST_NAME or not name.isprintable() or not any(letter.isalnum() for letter in name):
        raise SchemaError(
            f"{name!r} cannot name a type",
            where="types",
            hint=f"A name is 1 to {LONGEST_NAME} printable characters, with a letter or digit among them",
        )
    return Type(name, description or None)


def _from_json(path: Path) -> Schema:
    try:
        schema = Schema.from_dict(json.loads(_read(path)))
    except SchemaError as error:
        raise SchemaError(error.message, where=f"{path}: {error.where}" if error.where else path, hint=error.hint) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=path) from None
    if not any(layer.types for layer in schema):
        raise SchemaError("it has no type", where=path)
    return schema


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"it cannot be read ({error})", where=path) from error
