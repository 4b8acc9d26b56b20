import unicodedata

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.encoding import BioDecoder, align, bio_tags
from viner.text import split_words

LABELS = ("PER", "LOC")


def tags_of(document, labels=LABELS):
    aligned = align(document, document.words or split_words(document.text), labels)
    return [bio_tags(labels)[tag] for tag in aligned.tags], [(lost.entity.text, lost.reason) for lost in aligned.lost]


def document(text, *entities):
    return Document(
        text, entities=[Entity(text.index(surface), text.index(surface) + len(surface), label) for surface, label in entities]
    )


def test_entities_become_tags():
    tags, lost = tags_of(document("Lan ở Hà Nội.", ("Lan", "PER"), ("Hà Nội", "LOC")))
    assert tags == ["B-PER", "O", "B-LOC", "I-LOC", "O"]
    assert lost == []


def test_neighbors_of_one_label_stay_two():
    tags, _ = tags_of(document("BN990-993", ("BN990", "PER"), ("993", "PER")))
    assert tags == ["B-PER", "O", "B-PER"]
    tags, _ = tags_of(document("Lan Nam", ("Lan", "PER"), ("Nam", "PER")))
    assert tags == ["B-PER", "B-PER"]


def test_an_entity_that_cuts_a_word_is_taught_with_the_word_and_reported():
    tags, lost = tags_of(document("ở HàNội đó", ("Nội", "LOC")))
    assert tags == ["O", "B-LOC", "O"]
    assert lost == [("Nội", "cuts a word")]


def test_of_nested_entities_the_longest_is_taught():
    tags, lost = tags_of(document("Bệnh viện Hà Nội", ("Hà Nội", "LOC"), ("Bệnh viện Hà Nội", "PER")))
    assert tags == ["B-PER", "I-PER", "I-PER", "I-PER"]
    assert lost == [("Hà Nội", "overlaps a longer entity")]


def test_of_crossing_entities_of_one_length_the_first_is_taught():
    tags, lost = tags_of(document("aa bb cc", ("bb cc", "LOC"), ("aa bb", "PER")))
    assert tags == ["B-PER", "I-PER", "O"]
    assert lost == [("bb cc", "overlaps a longer entity")]


def test_two_entities_in_one_word():
    tags, lost = tags_of(document("HàNội", ("Hà", "LOC"), ("Nội", "LOC")))
    assert tags == ["B-LOC"]
    assert sorted(lost) == [("Hà", "overlaps a longer entity"), ("Nội", "cuts a word")]


def test_unknown_labels_and_entities_without_words_are_reported():
    text = "Lan  Nam"
    tags, lost = tags_of(Document(text, entities=[Entity(0, 3, "AGE"), Entity(3, 5, "PER")]))
    assert tags == ["O", "O"]
    assert sorted(reason for _, reason in lost) == ["covers no word", "unknown label"]


def test_spaces_at_the_edge_of_an_entity_cost_nothing():
    tags, lost = tags_of(Document("ở Huế nhé", entities=[Entity(1, 6, "LOC")]))
    assert tags == ["O", "B-LOC", "O"]
    assert lost == []


def test_without_words_or_annotations():
    assert tags_of(Document("")) == ([], [])
    assert tags_of(Document("Lan")) == (["O"], [])


PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["😷", "👨‍👩‍👧", "🇻🇳", "e\u0301", unicodedata.normalize("NFD", "Nguyễn Văn"), "\r\n", "\u2028", "\u00a0",
                     "مرحبا", "שלום", "中文", "ภาษาไทย", "カタカナ", "İ", "ﬁ", "\u200b", "\ufeff", "BN990-993", "x" * 150]),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=6).map("".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["SENTINEL", "SEN-TI/NEL 7", unicodedata.normalize("NFD", "Bệnh viện"), "北京", "😷"]))
def test_a_planted_entity_comes_back_at_its_offset(before, after, sentinel):
    # Spaces keep neighbors from growing into the planted words.
    text = f"{before} {sentinel} {after}"
    start = len(before) + 1
    planted = Document(text, entities=[Entity(start, start + len(sentinel), "LOC")])
    words = split_words(text)
    aligned = align(planted, words, LABELS)
    assert aligned.lost == ()
    emissions = np.eye(len(bio_tags(LABELS)), dtype=np.float32)[aligned.tags] * 20
    (span,) = BioDecoder(LABELS).decode(emissions)
    assert (words[span.first][0], words[span.last - 1][1], span.label) == (start, start + len(sentinel), "LOC")
    assert text[words[span.first][0] : words[span.last - 1][1]] == sentinel
