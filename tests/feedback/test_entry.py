from __future__ import annotations

import pytest

from viner.corpus import flag_of
from viner.document import Document, Entity
from viner.errors import InputError
from viner.feedback import LONGEST_COMMENT, LONGEST_TEXT, UnknownReceiptError, make_entry, new_receipt, read_receipt

ANSWER = Document(
    "BN91 ở Hà Nội",
    id="a file of mine",
    meta={"patient": "name"},
    words=[(0, 4)],
    entities=[Entity(7, 13, "PLACE", id="e1", score=0.7, source="model 003")],
    labels={"topic": ["x"]},
)


def test_kept_are_text_entities_and_what_was_said_and_nothing_else() -> None:
    receipt = new_receipt()
    entry = make_entry(ANSWER, receipt=receipt, comment=" thiếu BN91\n", wrong=[(7, 13)], model={"name": "notices"})
    kept = entry.to_dict()
    assert set(kept) == {"id", "text", "meta", "suggestions"}
    assert (kept["id"], kept["text"]) == (f"flagged-{receipt}", "BN91 ở Hà Nội")
    assert kept["suggestions"] == [{"start": 7, "end": 13, "label": "PLACE", "score": 0.7, "source": "model"}]
    flag = flag_of(entry)
    assert flag is not None
    assert (flag.receipt, flag.comment, flag.wrong, flag.model) == (receipt, "thiếu BN91", ((7, 13),), {"name": "notices"})
    assert set(kept["meta"]) == {"viner:feedback"}


def test_receipts_are_random_and_read_as_people_paste_them() -> None:
    receipts = {new_receipt() for _ in range(1000)}
    assert len(receipts) == 1000
    receipt = receipts.pop()
    for pasted in (receipt, f"  {receipt.upper()}\n", f"{receipt[:8]} {receipt[8:]}", f"flagged-{receipt}"):
        assert read_receipt(pasted) == receipt
    for nonsense in ("", receipt[:-1], receipt + "0", "g" * 32, "../../etc/passwd"):
        with pytest.raises(UnknownReceiptError):
            read_receipt(nonsense)


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("", {}, "text"),
        (" \n", {}, "text"),
        ("a\0b", {}, "text"),
        ("a" * (LONGEST_TEXT + 1), {}, "text"),
        ("a", {"comment": "b" * (LONGEST_COMMENT + 1)}, "comment"),
        ("a", {"comment": "b\0"}, "comment"),
        ("a", {"comment": "\udc00"}, "comment"),
        ("a", {"wrong": [(0, 1)]}, "wrong[0]"),
    ],
)
def test_what_no_project_could_take_is_refused_at_once(text: str, said: dict, where: str) -> None:
    with pytest.raises(InputError) as caught:
        make_entry(Document(text, entities=[]), receipt=new_receipt(), **said)
    assert caught.value.where == where


def test_the_longest_text_and_comment_are_kept() -> None:
    entry = make_entry(Document("ộ" * LONGEST_TEXT), receipt=new_receipt(), comment="ộ" * LONGEST_COMMENT)
    assert len(entry.text) == LONGEST_TEXT
