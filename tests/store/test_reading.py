"""Lists of documents and how many there are."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from support.stores import operation
from viner.document import Document, Entity
from viner.store import Comment, Filter, Store, StoredEntity


@pytest.fixture
def shelf(store: Store) -> Store:
    """Twelve documents: every second done, every third with a person; 3 flagged, 4 commented."""
    store.add(
        [
            Document(
                f"Bà Lan {number} ở Đà Nẵng\n100%_x.",
                id=f"d{number}",
                entities=([Entity(3, 6, "PERSON")] if number % 3 == 0 else []) if number % 2 == 0 else None,
                suggestions=[Entity(0, 2, "LOCATION", id="s")] if number == 5 else None,
            )
            for number in range(12)
        ],
        who="import",
    )
    store.save(operation("d3", 1, flagged=True), who="mai")
    store.save(operation("d4", 1, comments_put=(Comment("c", "?"), Comment("d", "!"))), who="mai")
    return store


def ids(store: Store, which: Filter) -> list[str]:
    return [row.id for row in store.find(which, limit=100).rows]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Filter(), [f"d{number}" for number in range(12)]),
        (Filter(ids=("d7", "d2", "no")), ["d2", "d7"]),
        (Filter(statuses=("done",)), ["d0", "d2", "d4", "d6", "d8", "d10"]),
        (Filter(statuses=("done", "todo"), ids=("d1", "d2")), ["d1", "d2"]),
        (Filter(statuses=("skipped",)), []),
        (Filter(label="PERSON"), ["d0", "d6"]),
        (Filter(label="PERSON", state="suggested"), []),
        (Filter(state="suggested"), ["d5"]),
        (Filter(label="PERSON", ids=("d6",)), ["d6"]),
        (Filter(flagged=True), ["d3"]),
        (Filter(flagged=True, commented=True), []),
        (Filter(commented=True), ["d4"]),
        (Filter(text="LAN 1 ở đà nẵng"), ["d1"]),
        (Filter(text="100%_"), [f"d{number}" for number in range(12)]),
        (Filter(text="100_"), []),
        (Filter(text="%"), [f"d{number}" for number in range(12)]),
        (Filter(text="D1"), ["d1", "d10", "d11"]),
    ],
)
def test_filters(shelf: Store, which: Filter, expected: list[str]) -> None:
    assert ids(shelf, which) == expected


def test_texts_can_be_searched_in_an_export(shelf: Store) -> None:
    assert [document.id for document in shelf.export(Filter(text="lan 1 Ở"))] == ["d1"]


def test_a_text_is_found_however_it_is_spelled(store):
    spelled = ["Bà Hòa ở Huế", "bà hoà", "BÀ HOÀ", "Bà Hóa"]
    texts = [unicodedata.normalize(form, text) for text in spelled for form in ("NFC", "NFD")]
    store.add([Document(text, id=f"d{number}") for number, text in enumerate(texts)], who="import")
    for wanted in ("bà hòa", "Bà Hoà", unicodedata.normalize("NFD", "à hòa"), unicodedata.normalize("NFD", "bà hoà")):
        assert [row.id for row in store.find(Filter(text=wanted)).rows] == [f"d{number}" for number in range(6)]
    assert [row.id for row in store.find(Filter(text="100%\\_")).rows] == []


def test_filtered_exports_agree_with_lists(shelf: Store) -> None:
    for which in (Filter(label="PERSON"), Filter(state="suggested"), Filter(statuses=("todo",)), Filter(splits=("train",))):
        assert [document.id for document in shelf.export(which)] == ids(shelf, which)


@pytest.mark.parametrize("which", [Filter(), Filter(statuses=("done", "todo")), Filter(state="accepted")])
def test_pages_follow_each_other(shelf: Store, which: Filter) -> None:
    everything = ids(shelf, which)
    found: list[str] = []
    after = None
    while True:
        page = shelf.find(which, after=after, limit=2)
        found += [row.id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert found == everything


def test_a_line_says_what_is_in_the_document(shelf: Store) -> None:
    rows = {row.id: row.to_dict() for row in shelf.find(Filter()).rows}
    assert rows["d4"]["comments"] == 2
    assert (rows["d5"]["accepted"], rows["d5"]["suggested"]) == (0, 1)
    assert (rows["d0"]["accepted"], rows["d0"]["status"]) == (1, "done")
    assert rows["d0"]["excerpt"] == "Bà Lan 0 ở Đà Nẵng 100%_x."
    assert rows["d3"]["flagged"] is True


def test_counts_follow_every_change(shelf: Store) -> None:
    def counted() -> tuple[Counter[str], Counter[tuple[str, str]], int, int]:
        documents = [shelf.get(row.id) for row in shelf.find(Filter(), limit=100).rows]
        entities = [entity for document in documents for entity in document.entities]
        return (
            Counter(document.status for document in documents),
            Counter((entity.label, entity.state) for entity in entities),
            sum(document.flagged for document in documents),
            sum(len(document.comments) for document in documents),
        )

    def told() -> tuple[Counter[str], Counter[tuple[str, str]], int, int]:
        counts = shelf.counts()
        statuses = {status: counts.status(status) for status in ("todo", "started", "done", "skipped")}
        labels = {(label, state): n for label, states in counts.labels.items() for state, n in states.items()}
        return +Counter(statuses), +Counter(labels), counts.flagged, counts.comments

    assert told() == counted()
    text = shelf.get("d5").text
    shelf.save(operation("d5", 1, StoredEntity("s", 0, 2, "PERSON"), text=text, flagged=True), who="mai")
    shelf.save(operation("d4", 2, comments_delete=("c",), status="skipped"), who="mai")
    assert told() == counted()
    shelf.undo(shelf.history("d5")[0].operation, new_id="u", who="mai")
    assert told() == counted()
    shelf.erase(["d0", "d3", "d4"], who="mai")
    assert told() == counted()
    assert shelf.counts().documents == 9
