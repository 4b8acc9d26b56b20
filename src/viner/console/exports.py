"""Recognized documents as files to take away: JSONL, CoNLL and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from viner.document import Document

EXPORTS = ("jsonl", "conll", "csv")
"""The kinds of file, in display order; each is the file's extension too."""

_CSV_COLUMNS = ("document", "start", "end", "label", "text", "score")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export(documents: Sequence[Document], kind: str, folder: Path) -> Path:
    """Writes documents into a folder.

    Args:
        documents: Recognized documents.
        kind: One of :data:`EXPORTS`.
        folder: An existing folder.

    Returns:
        Path of the file, named ``entities.KIND``.
    """
    path = folder / f"entities.{kind}"
    if kind == "csv":
        write_csv(documents, path)
    else:
        from viner.formats import write

        write(documents, path, format=kind)
    return path


def write_csv(documents: Iterable[Document], path: Path) -> None:
    """One row for each entity, made for spreadsheets.

    The file begins with a byte order mark, without which Excel misreads Vietnamese. A cell that a spreadsheet would run as a
    formula gets an apostrophe in front; the offsets (code points of the raw text) still tell the exact surface.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_CSV_COLUMNS)
        for number, document in enumerate(documents, start=1):
            name = document.id or str(number)
            for entity in document.entities or ():
                score = "" if entity.score is None else f"{entity.score:.4f}"
                cells = (name, entity.start, entity.end, entity.label, entity.text or "", score)
                writer.writerow([_inert(cell) if isinstance(cell, str) else cell for cell in cells])


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
