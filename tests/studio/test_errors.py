from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from support.pretend_studio import make_project
from viner.document import Document, Entity
from viner.store import Store
from viner.studio.errors import find_errors


class Finder:
    """Finds "Lan", and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Document] = []

    def stream(self, texts: Iterable[str | Document], /) -> Iterator[Document]:
        for document in texts:
            assert isinstance(document, Document)
            self.asked.append(document)
            found = [Entity(*match.span(), "PERSON", score=0.9) for match in re.finditer("Lan", document.text)]
            yield document.with_(entities=found, words=[match.span() for match in re.finditer(r"\S+", document.text)])


def test_done_documents_of_the_split_are_asked_about_without_their_annotations(tmp_path: Path) -> None:
    done = {"a": [Entity(0, 3, "PERSON")], "b": [Entity(0, 3, "LOCATION")], "c": []}
    with Store.of_project(make_project(tmp_path / "project")) as store:
        for name, entities in done.items():
            store.add([Document(f"Lan về {name}", id=name, entities=entities)], who="import", split="dev")
        store.add([Document("Lan về d", id="d")], who="import", split="dev")
        store.add([Document("Lan về e", id="e", entities=[])], who="import", split="train")
        finder = Finder()
        analysis = find_errors(store, finder, "dev")
    assert [(document.id, document.entities) for document in finder.asked] == [("a", None), ("b", None), ("c", None)]
    assert analysis.counts == {"correct": 1, "type": 1, "spurious": 1}
    assert [document.name for document in analysis.worst()] == ["b", "c"]
