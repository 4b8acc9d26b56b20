from __future__ import annotations

import pytest

from viner.corpus import FEEDBACK, Flag, flag_of
from viner.document import Document, Entity
from viner.errors import InputError

FLAG = Flag("ab" * 16, "2026-03-01T08:30:00.123Z", "thiếu BN91", ((3, 9),), {"name": "notices", "fingerprint": "0f"})
TEXT = "ra Hà Nội với Lan"


def flagged(meta: object, **fields: object) -> Document:
    return Document(TEXT, id="flagged-1", meta={FEEDBACK: meta}, suggestions=[Entity(3, 9, "PLACE")], **fields)


def test_what_a_flag_says_comes_back_from_the_meta_of_its_document() -> None:
    assert flag_of(flagged(FLAG.to_meta())) == FLAG
    gone = Flag(FLAG.receipt, FLAG.at, erased=True)
    assert flag_of(flagged(gone.to_meta())) == gone
    assert gone.to_meta() == {"receipt": FLAG.receipt, "erased": FLAG.at}


def test_other_documents_and_those_that_somebody_annotated_are_no_flagged_answers() -> None:
    assert flag_of(Document(TEXT)) is None
    assert flag_of(flagged(FLAG.to_meta(), entities=[])) is None


def test_a_remark_has_the_comment_and_what_was_called_wrong() -> None:
    assert FLAG.remark(flagged(FLAG.to_meta())) == "thiếu BN91\n✗ Hà Nội (PLACE)"
    assert Flag("r", "t", wrong=((0, 2),)).remark(flagged({})) == "✗ ra"
    assert Flag("r", "t").remark(flagged({})) == ""
    long = Document("a b\n" * 40, suggestions=[])
    assert Flag("r", "t", wrong=((0, 160),)).remark(long) == f"✗ {'a b ' * 15}…"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"receipt": None}, "receipt"),
        ({"at": 5}, "at"),
        ({"comment": ["x"]}, "comment"),
        ({"comment": "a\0b"}, "comment"),
        ({"comment": "\ud800"}, "comment"),
        ({"wrong": [[3, 99]]}, "wrong"),
        ({"wrong": "3-9"}, "wrong"),
        ({"model": {"name": 1}}, "model"),
    ],
)
def test_a_changed_file_is_told_with_the_place(changed: dict, where: str) -> None:
    with pytest.raises(InputError) as caught:
        flag_of(flagged({**FLAG.to_meta(), **changed}))
    assert caught.value.where == f"flagged-1: meta.{FEEDBACK}.{where}"


def test_the_key_holds_an_object() -> None:
    with pytest.raises(InputError, match="must be a JSON object"):
        flag_of(flagged([]))
