import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.annotated import documents
from viner.corpus import REVIEWED
from viner.corpus.perturb import joined
from viner.document import Document, Entity
from viner.errors import InputError


@settings(deadline=None)
@given(st.lists(documents(words=True), max_size=9), st.integers(1, 4))
def test_neighbors_become_one_with_all_their_words_and_entities(found, count):
    result = list(joined(iter(found), count))
    assert len(result) == -(-len(found) // count)
    assert "\n".join(document.text for document in result) == "\n".join(document.text for document in found)
    for spans in (lambda d: [(d.text[a:b], "") for a, b in d.words], lambda d: [(e.text, e.label) for e in d.entities]):
        assert [span for document in result for span in spans(document)] == [
            span for document in found for span in spans(document)
        ]


def test_words_are_left_to_the_splitter_where_one_has_none():
    (result,) = joined([Document("a b", words=[(0, 3)], entities=[]), Document("c", entities=[Entity(0, 1, "X", id="1")])])
    assert result == Document("a b\nc", entities=[Entity(4, 5, "X")])


def test_documents_that_are_annotated_in_part_are_refused():
    with pytest.raises(InputError, match="in part"):
        list(joined([Document("a", entities=[], meta={REVIEWED: []})]))
