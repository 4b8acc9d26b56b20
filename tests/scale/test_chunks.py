from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.errors import BundleError, FormatError, InputError, VinerError
from viner.scale import ClusterError
from viner.scale.chunks import CHARACTERS, DOCUMENTS, answer, cut, pack, unpack
from viner.scale.errors import come_home

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def found(documents):
    """A recognizer's stream: every capital letter is an entity."""
    for document in documents:
        entities = [Entity(i, i + 1, "CAPITAL", score=0.1234) for i, c in enumerate(document.text) if c.isupper()]
        yield document.with_(words=document.words or (), entities=entities)


def travel(items, stream=found):
    for chunk in cut(items):
        yield from unpack(chunk, answer(pack(chunk), stream))


@settings(deadline=None)
@given(st.lists(texts, max_size=20))
def test_what_comes_home_is_what_was_answered(given_texts):
    documents = [Document(text, id=str(i), meta={"at": [i, None]}) for i, text in enumerate(given_texts)]
    home = list(travel(documents))
    assert home == list(found(documents))
    assert [(d.id, d.meta) for d in home] == [(d.id, d.meta) for d in documents]


def test_what_meta_says_of_other_annotations_is_not_said_of_the_answer():
    (home,) = travel([Document("Lan", meta={"a": 1, "viner:reviewed": [[0, 3]]})])
    assert home.meta == {"a": 1}


def test_texts_travel_unchanged():
    awkward = ["", "\r\n", "a\u2028b\x85c\x00d", unicodedata.normalize("NFD", "Hà Nội"), "😷 A", "Z" * (CHARACTERS + 5)]
    assert [document.text for document in travel(awkward)] == awkward


def test_words_go_along_and_ids_and_metadata_stay_here():
    document = Document("Lan ở Huế", id="patient-7", meta={"name": "secret"}, words=[(0, 3)], entities=[Entity(0, 3, "X")])
    (packed,) = pack([document])
    assert json.loads(packed) == {"text": "Lan ở Huế", "words": [[0, 3]]}


def test_chunks_are_cut_by_length_and_by_number():
    assert [len(chunk) for chunk in cut(["a"] * (DOCUMENTS + 1))] == [DOCUMENTS, 1]
    assert [len(chunk) for chunk in cut(["a" * CHARACTERS, "b", "c" * CHARACTERS, "d"])] == [1, 2, 1]
    assert list(cut([])) == []


def test_nothing_is_read_ahead():
    read = []
    chunks = cut(read.append(i) or "a" * CHARACTERS for i in range(5))
    next(chunks)
    assert read == [0]


def test_what_came_before_a_bad_item_comes_out_first():
    chunks = cut(["one", "two", "\ud800"])
    assert [document.text for document in next(chunks)] == ["one", "two"]
    with pytest.raises(InputError, match="lone surrogate"):
        next(chunks)


def test_an_error_on_a_worker_comes_home_after_the_documents_before_it():
    def stream(documents):
        for document in found(documents):
            if document.text == "bad":
                raise BundleError("no number", where="viner.json", hint="Train it again")
            yield document

    home = travel(["A", "bad", "B"], stream)
    assert next(home).text == "A"
    with pytest.raises(BundleError) as caught:
        next(home)
    assert caught.value.to_dict() == BundleError("no number", where="viner.json", hint="Train it again").to_dict()


def test_a_defect_on_a_worker_comes_home_without_the_text():
    def stream(documents):
        raise RuntimeError(f"secret {next(iter(documents)).text}")

    with pytest.raises(VinerError, match=r"RuntimeError < .*test_chunks\.py") as caught:
        list(travel(["patient"], stream))
    assert "patient" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("error", [FormatError("m", where="a:1"), ClusterError("m", hint="h"), VinerError("m")])
def test_errors_keep_their_kind(error):
    home = come_home(error.to_dict())
    assert type(home) is type(error)
    assert home.to_dict() == error.to_dict()


def test_an_error_of_a_kind_unknown_here_keeps_its_code():
    assert come_home({"code": "newer", "message": "m", "where": None, "hint": None}).to_dict()["code"] == "newer"
