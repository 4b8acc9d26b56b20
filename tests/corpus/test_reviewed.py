from __future__ import annotations

import pytest

from viner.corpus import REVIEWED, is_partial, lint, refuse_partial, reviewed_spans, statistics
from viner.document import Document, Entity
from viner.errors import InputError


def partial(spans: object) -> Document:
    return Document("Lan ở Huế", id="d1", entities=[Entity(0, 3, "PERSON")], meta={REVIEWED: spans})


def test_without_the_key_a_document_is_whole_and_with_it_in_part() -> None:
    whole = Document("Lan", entities=[])
    assert not is_partial(whole)
    assert reviewed_spans(whole) is None
    assert reviewed_spans(partial([])) == ()
    assert reviewed_spans(partial([[0, 3], [6, 9]])) == ((0, 3), (6, 9))


@pytest.mark.parametrize(
    "spans", [None, "0-3", 7, {"0": 3}, [[0]], [[0, 10]], [[3, 3]], [[-1, 2]], [["0", "3"]], [[False, 3]], ["ab"]]
)
def test_what_is_no_list_of_spans_is_refused_with_its_place(spans: object) -> None:
    with pytest.raises(InputError, match="9 code points") as caught:
        reviewed_spans(partial(spans))
    assert caught.value.where == f"d1: meta.{REVIEWED}"


def test_documents_in_part_are_refused_where_whole_ones_are_needed() -> None:
    refuse_partial([Document("Lan", entities=[])], "score")
    with pytest.raises(InputError, match="1 document is annotated only in part, such as d1: nothing to score") as caught:
        refuse_partial([Document("Lan", entities=[]), partial([])], "score", where="dev.jsonl")
    assert caught.value.where == "dev.jsonl"


def test_they_are_counted_and_reported_where_models_are_scored() -> None:
    assert statistics([Document("Lan", entities=[]), partial([])]).partial == 1
    assert list(lint([partial([])])) == []
    other = partial([]).with_(text="Huế ở Lan")
    assert [(f.code, f.file) for f in lint({"train": [partial([])], "dev": [other]})] == [("partial", "dev")]
    assert [f.code for f in lint([partial([[5, 90]])])] == ["bad-reviewed"]
