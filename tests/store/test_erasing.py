"""Erasing: the text is in no file and no table any more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy import select

from support.stores import operation
from viner.document import Document, Entity
from viner.errors import InputError
from viner.store import (
    Comment,
    Filter,
    Operation,
    StaleVersionError,
    Store,
    StoredEntity,
    StoreLockedError,
    UnknownDocumentError,
    erasing,
)
from viner.store.tables import documents, events, groups, leases, metadata

SECRET = "Bệnh nhân Nguyễn Thị Bí Mật"
REMARK = "Là hàng xóm cũ của tôi"


def everything(store: Store) -> str:
    """All cells of all tables."""
    with store.reading() as connection:
        return "\n".join(repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table)))


@pytest.fixture
def notice(store: Store) -> Store:
    store.add(
        [
            Document(SECRET + ".", id="secret-name", entities=[Entity(10, 27, "PERSON")], meta={"note": SECRET}),
            Document("Không liên quan.", id="other"),
        ],
        who="import",
        split="train",
    )
    text = store.get("secret-name").text
    store.save(
        operation("secret-name", 1, StoredEntity("secret-e", 0, 9, "PERSON"), text=text, comments_put=(Comment("c", REMARK),)),
        who="mai",
    )
    store.undo(store.history("secret-name")[0].operation, new_id="u", who="mai")
    with store.transaction() as transaction:
        transaction.connection.execute(leases.insert().values(document=1, who="mai", tab="t", until=1.0))
    return store


def test_nothing_of_an_erased_document_remains(notice: Store) -> None:
    before = everything(notice)
    assert all(trace in before for trace in (SECRET, REMARK, "secret-e", "secret-name"))
    assert notice.erase(["secret-name"], who="tom") == 1
    after = everything(notice)
    for trace in (SECRET, REMARK, "secret-e", "secret-name"):
        assert trace not in after
    with pytest.raises(UnknownDocumentError):
        notice.get("secret-name")
    with pytest.raises(UnknownDocumentError):
        notice.history("secret-name")
    assert notice.find(Filter(label="PERSON")).rows == ()
    assert notice.get("other").text == "Không liên quan."


def test_who_erased_how_many_and_when_is_kept(notice: Store) -> None:
    notice.erase(["secret-name"], who="tom")
    with notice.reading() as connection:
        rows = connection.execute(select(events).order_by(events.c.number)).all()
    assert [(row.kind, row.who, row.documents) for row in rows] == [("add", "import", 0), ("erase", "tom", 1)]
    assert (rows[-1].before, rows[-1].after) == (None, None)


def test_an_unknown_id_and_nothing_is_erased(notice: Store) -> None:
    with pytest.raises(UnknownDocumentError):
        notice.erase(["secret-name", "nowhere"], who="tom")
    assert notice.get("secret-name").text.startswith(SECRET)
    assert notice.erase([], who="tom") == 0


def test_hashes_of_texts_and_names_of_groups_go(store: Store) -> None:
    store.add(
        [Document("Một.", id="a")] + [Document(f"{name}.", id=name, meta={"group": "ông Hải"}) for name in "bc"],
        who="import",
        split="test",
    )
    store.erase(["a", "b"], who="tom")
    with store.reading() as connection:
        names = sorted(connection.execute(select(groups.c.name)).scalars())
    assert len(names) == 2  # the group, and the text of c
    assert names[1] == "ông Hải"
    store.erase(["c"], who="tom")
    assert "Hải" not in everything(store)


def test_a_group_stays_on_its_side_after_its_last_document(store: Store) -> None:
    store.add([Document("Một.", id="a", meta={"group": "ward"})], who="import", split="test")
    store.erase(["a"], who="tom")
    with pytest.raises(InputError, match="in test already"):
        store.add([Document("Hai.", id="b", meta={"group": "ward"})], who="import", split="train")
    for _ in range(2):
        store.add([Document("Hai.", id="b", meta={"group": "ward"})], who="import")
        assert store.get("b").split == "test"
        store.erase(["b"], who="tom")


@pytest.mark.parametrize(
    ("first", "second"), [({"group": "g"}, {"group": "h"}), ({}, {"group": "h"}), ({"group": "h"}, {"group": "h"})]
)
def test_a_text_that_another_document_has_stays_on_its_side(
    store: Store, first: dict[str, str], second: dict[str, str]
) -> None:
    store.add([Document("Một.", id="a", meta=first), Document("Một.", id="b", meta=second)], who="import", split="test")
    store.erase(["a"], who="tom")
    for meta in ({}, {"group": "new"}):
        with pytest.raises(InputError, match="in test already"):
            store.add([Document("Một.", id="c", meta=meta)], who="import", split="train")
    store.erase(["b"], who="tom")
    store.add([Document("Một.", id="c")], who="import", split="train")
    assert store.get("c").split == "train"


def test_a_text_goes_where_the_group_is_that_is_left_with_it(store: Store) -> None:
    for group, split in (("g", "train"), ("h", "test")):
        store.add([Document(f"{group}.", id=group, meta={"group": group})], who="import", split=split)
        store.add([Document("Một.", id=f"{group}-1", meta={"group": group})], who="import")
    store.erase(["g-1"], who="tom")
    store.add([Document("Một.", id="c")], who="import")
    assert store.get("c").split == "test"


def test_surfaces_that_earlier_versions_noted_of_a_split_go(store: Store) -> None:
    store.add([Document("Một.", id="a")], who="import")
    store.set_setting("schema.change.2", {"kind": "split", "label": "A", "into": ["B", "C"], "assign": {"Bí Mật": "B"}})
    store.erase(["a"], who="tom")
    assert store.setting("schema.change.2") == {"kind": "split", "label": "A", "into": ["B", "C"]}


def test_no_byte_of_erased_texts_is_left_in_the_files_of_sqlite(tmp_path: Path) -> None:
    """Texts of many sizes, erased in a random order, while another connection is open."""
    order = random.Random(7)
    folder = tmp_path / "project"
    folder.mkdir()
    with Store.open(folder / "viner.db") as store, Store.open(folder / "viner.db") as other:
        sizes = [5, 50, 300, 900, 3_000, 20_000]
        texts = {f"d{n}": f"<begin {n}>" + "x" * order.choice(sizes) + f"<end {n}>" for n in range(200)}
        store.add((Document(text, id=name) for name, text in texts.items()), who="import")
        for name in list(texts)[:50]:
            store.save(
                operation(name, 1, comments_put=(Comment(name, f"<remark {name}>" + "y" * order.choice([1, 500])),)), who="mai"
            )
        assert other.counts().documents == 200
        names = list(texts)
        order.shuffle(names)
        while names:
            gone, names = names[:40], names[40:]
            store.erase(gone, who="tom")
            left = b"".join(path.read_bytes() for path in folder.iterdir())
            assert len(left) > 10_000 or not names
            for name in gone:
                for trace in (f"<begin {name[1:]}>", f"<end {name[1:]}>", f"<remark {name}>"):
                    assert trace.encode() not in left
            for name in names:
                assert f"<begin {name[1:]}>".encode() in left


def test_traces_that_a_long_export_holds_go_with_the_next_erasing_or_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader keeps its moment of the log; so long the log cannot be emptied, and that is said and made good later."""

    def left() -> bool:
        return any(SECRET.encode() in path.read_bytes() for path in tmp_path.iterdir())

    monkeypatch.setattr(erasing, "PATIENCE", 0.1)
    with Store.open(tmp_path / "viner.db") as store:
        for again in ("erase", "open"):
            store.add([Document(SECRET, id="secret"), Document("Một.", id=again)], who="import")
            reader = store.export()
            next(reader)
            with pytest.raises(StoreLockedError, match="erased, but"):
                store.erase(["secret"], who="tom")
            assert store.find(Filter(ids=("secret",))).rows == ()
            with Store.open(tmp_path / "viner.db") as other:  # as long as somebody reads, opening is not held up
                assert other.counts().documents == len(list(other.export()))
            assert left()
            reader.close()
            if again == "erase":
                assert store.erase([], who="tom") == 0
            else:
                Store.open(tmp_path / "viner.db").close()
            assert not left()
            assert store.setting("erase.traces") is None


def test_who_has_an_erased_document_open_never_changes_another_one_of_its_id(notice: Store) -> None:
    version = notice.get("secret-name").version
    with notice.reading() as connection:
        numbers = {row.id: row.number for row in connection.execute(select(documents.c.id, documents.c.number))}
    newest = max(numbers, key=lambda name: numbers[name])
    notice.erase(["secret-name", newest], who="lan")
    notice.add([Document("Một bản tin khác.", id=name) for name in ("secret-name", newest)], who="import", split="train")
    for name in ("secret-name", newest):
        with pytest.raises(StaleVersionError):
            notice.save(Operation("late", name, version, notice.schema()[1], status="done"), who="mai")
        assert notice.get(name).status == "todo"
    with notice.reading() as connection:
        again = set(connection.execute(select(documents.c.number)).scalars())
    assert not again & set(numbers.values())
