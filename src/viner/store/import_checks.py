"""What is refused of documents that are imported, since no database keeps it or no person could decide on it."""

from __future__ import annotations

import json

from viner.document import Document
from viner.errors import InputError
from viner.store.checks import Borders
from viner.store.operation import StoredEntity
from viner.store.values import LABEL_LIMIT


def check_decidable(entity: StoredEntity, borders: Borders, where: str) -> None:
    """Checks that a person could accept a suggestion as it is; they would be left with one that every save refuses.

    Raises:
        InputError: If nobody could.
    """
    problem = borders.problem(entity.start, entity.end)
    if problem is not None:
        raise InputError(
            f"nobody could accept the suggestion [{entity.start}, {entity.end}]: {problem[1]}",
            where=where,
            hint="Move its borders in the file, or leave it away",
        )
    if entity.score is not None and not 0 <= entity.score <= 1:
        raise InputError(f"the score {entity.score} does not lie between 0 and 1", where=f"{where}.score")
    if entity.source is not None and not 0 < len(entity.source) <= LABEL_LIMIT:
        raise InputError(f"a source has 1 to {LABEL_LIMIT} characters", where=f"{where}.source")


def check_short(name: str, limit: int, where: str) -> None:
    """Checks that a database keeps a name.

    Raises:
        InputError: If it is longer than ``limit`` code points, or holds what no database keeps.
    """
    if len(name) > limit or "\0" in name:
        raise InputError(f"is longer than {limit} characters or holds a zero character", where=where)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InputError("holds a lone surrogate", where=where) from None


def check_encodable(document: Document) -> None:
    """Checks what a document says beside its text; JSON files can spell halves of characters that no database keeps.

    Raises:
        InputError: If there is one.
    """
    for name in ("meta", "labels", "tags"):
        value = getattr(document, name)
        try:
            if value:
                json.dumps(dict(value), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InputError("holds a lone surrogate", where=f"{document.id}: {name}") from None
    for entity in (*(document.entities or ()), *(document.suggestions or ())):
        if entity.source is not None:
            check_short(entity.source, len(entity.source), f"{document.id}: source")
    for relation in document.relations or ():
        for part in (relation.head, relation.tail, relation.label):
            check_short(part, len(part), f"{document.id}: relations")
