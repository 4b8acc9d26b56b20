from __future__ import annotations

from pathlib import Path

from viner.corpus import statistics
from viner.document import Document, Entity
from viner.formats import read


def test_counts_have_the_documented_shape() -> None:
    documents = [
        Document("BN91 ở Hà Nội. Anh khỏe.", entities=[Entity(0, 4, "ID"), Entity(7, 13, "LOC")]),
        Document("Ở Huế", entities=[Entity(2, 5, "LOC")]),
        Document("", entities=[]),
        Document("Chưa gán nhãn"),
    ]
    assert statistics(documents).to_dict() == {
        "documents": 4,
        "partial": 0,
        "unannotated": 1,
        "sentences": 4,
        "words": 13,
        "entities": 3,
        "labels": {"LOC": 2, "ID": 1},
        "scheme": None,
        "unread_tag_columns": [],
    }


def test_sentences_and_words_of_the_file_take_precedence(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- O\n\nMr.Smith I-PER\nsaid O\n\nNo. O\nYes. O\n\n")
    figures = statistics(read(path)).to_dict()
    assert (figures["documents"], figures["sentences"], figures["words"]) == (1, 2, 4)
    assert figures["scheme"] == "IOB1"
