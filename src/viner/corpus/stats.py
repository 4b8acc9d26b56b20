"""Counting what a corpus holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from viner.conll_meta import conll_of
from viner.corpus.reviewed import is_partial
from viner.corpus.sentences import sentences_of
from viner.document import Document
from viner.text import words_of


@dataclass(slots=True)
class Statistics:
    """Counts over documents.

    Args:
        documents: Documents.
        partial: Those among them that are annotated only in part.
        unannotated: Those of which nothing says where there are entities, not even that there are none.
        sentences: Sentences, of the file where it has them.
        words: Words, of the file where it has them.
        entities: Entities, nested ones included.
        labels: Entities of each label.
        schemes: Tag schemes of the files that have one.
        unread: Columns of these files that hold tags and were not read, from 0.
    """

    documents: int = 0
    partial: int = 0
    unannotated: int = 0
    sentences: int = 0
    words: int = 0
    entities: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    schemes: set[str] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)

    def add(self, document: Document) -> None:
        """Counts one document more."""
        self.documents += 1
        self.partial += is_partial(document)
        self.unannotated += document.entities is None
        self.sentences += len(sentences_of(document))
        self.words += len(words_of(document))
        self.entities += len(document.entities or ())
        self.labels.update(entity.label for entity in document.entities or ())
        conll = conll_of(document)
        if conll is not None and "scheme" in conll:
            self.schemes.add(conll["scheme"])
            self.unread.update(conll.get("unread_tag_columns", ()))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; labels by falling count, ``scheme`` None where no file has tags."""
        return {
            "documents": self.documents,
            "partial": self.partial,
            "unannotated": self.unannotated,
            "sentences": self.sentences,
            "words": self.words,
            "entities": self.entities,
            "labels": dict(sorted(self.labels.items(), key=lambda item: (-item[1], item[0]))),
            "scheme": "+".join(sorted(self.schemes)) or None,
            "unread_tag_columns": sorted(self.unread),
        }


def statistics(documents: Iterable[Document]) -> Statistics:
    """Counts documents, consuming them one by one."""
    result = Statistics()
    for document in documents:
        result.add(document)
    return result
