import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.annotated import documents
from viner.corpus import REVIEWED, reviewed_spans, sentences_of
from viner.corpus.perturb.rewriting import Edit, Rewriting, pieces, rewrite_pieces
from viner.document import Document, Entity, Relation


@settings(deadline=None)
@given(documents(), st.data())
def test_every_surface_is_what_its_pieces_became(document, data):
    """Whatever a change makes of each piece, an entity's surface is that of its pieces put together."""
    changed = {span: data.draw(st.sampled_from(["x", "yy", "zzz", document.text[slice(*span)]])) for span in pieces(document)}
    parts = iter(changed.values())
    rewritten = rewrite_pieces(document, lambda piece: next(parts))

    def expected(start, end):
        kept, at = [], start
        for (first, last), new in changed.items():
            if start <= first and last <= end:
                kept += document.text[at:first], new
                at = last
        return "".join([*kept, document.text[at:end]])

    assert rewritten.text == expected(0, len(document.text))
    for before, after in zip(document.entities, rewritten.entities, strict=True):
        assert after.text == expected(before.start, before.end)
        assert (after.label, after.id) == (before.label, before.id)
    for before, after in zip(document.words or (), rewritten.words or (), strict=True):
        assert rewritten.text[slice(*after)] == expected(*before)


def test_a_piece_that_would_vanish_stays():
    document = Document("a bc", entities=[Entity(2, 4, "X")])
    assert rewrite_pieces(document, lambda piece: "") is document


def test_all_that_points_into_the_text_follows():
    document = Document(
        "Lan ở Huế. Về rồi.",
        id="7",
        words=[(0, 3), (4, 5), (6, 9), (9, 10), (11, 13), (14, 17), (17, 18)],
        entities=[Entity(0, 3, "PERSON", id="a"), Entity(6, 9, "PLACE", id="b", score=0.5)],
        suggestions=[Entity(4, 9, "PLACE")],
        relations=[Relation("a", "b", "in")],
        tags={"pos": list("NEN.VV.")},
        labels={"topic": ["travel"]},
        meta={"conll": {"sentences": [[0, 10], [11, 18]], "rows": 7}, REVIEWED: [[0, 5]], "source": "x"},
    )
    longer = rewrite_pieces(document, lambda piece: piece + "+")
    assert longer.text == "Lan+ ở+ Huế+.+ Về+ rồi+.+"
    assert [longer.text[start:end] for start, end in longer.words] == longer.text.replace("+.", "+ .").split()
    assert [entity.text for entity in (*longer.entities, *longer.suggestions)] == ["Lan+", "Huế+", "ở+ Huế+"]
    assert [longer.text[start:end] for start, end in sentences_of(longer)] == ["Lan+ ở+ Huế+.+", "Về+ rồi+.+"]
    assert [longer.text[start:end] for start, end in reviewed_spans(longer)] == ["Lan+ ở+"]
    assert (longer.id, longer.tags, longer.labels, longer.relations) == (
        "7",
        document.tags,
        document.labels,
        document.relations,
    )
    assert longer.meta["source"] == "x"
    assert "rows" not in longer.meta["conll"], "the file has no such lines"


def test_an_offset_inside_of_an_edit_is_nowhere():
    rewriting = Rewriting("abcdef", [Edit(1, 3, ""), Edit(3, 4, "xyz")])
    assert rewriting.text == "axyzef"
    assert [rewriting.offset(offset) for offset in (0, 1, 3, 4, 6)] == [0, 1, 1, 4, 6]
    with pytest.raises(ValueError, match="inside"):
        rewriting.offset(2)


@pytest.mark.parametrize("edits", [[Edit(2, 2, "x")], [Edit(0, 3, ""), Edit(2, 4, "")], [Edit(5, 7, "")], [Edit(-1, 2, "")]])
def test_edits_must_be_in_order_and_disjoint(edits):
    with pytest.raises(ValueError, match="edit"):
        Rewriting("abcdef", edits)
