"""Random annotated documents for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.text import split_words

LABELS = ("PERSON", "LOCATION", "DATE")
# What changes length in another case or form, what has marks, and what stands between words.
_CHARACTERS = "aAoOuUlL1I0 rnmdđĐềởẢIİıßǰŉΐﬀσÅe\u0301\u0323 \n.,!/()-_😷\u200dあ가ก"


@st.composite
def documents(draw, *, words=None):
    """Documents with entities anywhere, nested and crossing ones too.

    Args:
        draw: Given by hypothesis.
        words: Whether they bring words of their own; None leaves it open.
    """
    text = draw(st.text(st.sampled_from(_CHARACTERS), max_size=40) | st.text(max_size=20))
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted).filter(lambda span: span[0] < span[1])
    chosen = draw(st.lists(spans, max_size=5)) if text else []
    entities = [Entity(start, end, draw(st.sampled_from(LABELS)), id=f"e{i}") for i, (start, end) in enumerate(chosen)]
    own = draw(st.booleans()) if words is None else words
    return Document(text, id="d", words=split_words(text) if own else None, entities=entities)
