from collections import Counter

import numpy as np
import pytest

from viner.document import Document
from viner.text import split_words, strip_diacritics
from viner.training.hardening import hardened

TEXT = "Bệnh nhân Nguyễn Văn Thành, 38t, ở phường Bến Nghé, đã khỏi bệnh."


def drawn(count: int) -> list[Document]:
    rng = np.random.default_rng(1)
    document = Document(TEXT, words=split_words(TEXT))
    return [hardened(document, rng) for _ in range(count)]


def test_words_stay_one_by_one():
    found = drawn(200)
    assert {len(document.words) for document in found} == {len(split_words(TEXT))}
    # A number and its unit would be one word in upper case, were it split anew.
    assert "38T" in next(document.text for document in found if document.text.isupper())


def test_half_of_what_is_drawn_is_without_diacritics_and_the_rest_in_one_case_or_mistyped():
    texts = Counter(document.text for document in drawn(400))
    shares = [texts[text] / 400 for text in (strip_diacritics(TEXT), TEXT.lower(), TEXT.upper())]
    assert shares == pytest.approx([0.5, 0.15, 0.15], abs=0.06)
    assert len(texts) > 40
