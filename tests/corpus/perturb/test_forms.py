import unicodedata
from random import Random

import pytest
from hypothesis import given, settings

from support.annotated import documents
from viner.corpus.perturb import (
    decomposed,
    in_lower_case,
    in_other_tone_style,
    in_upper_case,
    with_telex,
    without_diacritics,
)
from viner.document import Document, Entity
from viner.text import nfc, strip_diacritics, tone_style

HOA = Document("Đường Hòa ở HÀ NỘI", entities=[Entity(0, 9, "PLACE"), Entity(12, 18, "PLACE")])


@pytest.mark.parametrize(
    ("change", "surfaces"),
    [
        (without_diacritics, ["Duong Hoa", "HA NOI"]),
        (in_other_tone_style, ["Đường Hoà", "HÀ NỘI"]),
        (decomposed, [unicodedata.normalize("NFD", "Đường Hòa"), unicodedata.normalize("NFD", "HÀ NỘI")]),
        (in_lower_case, ["đường hòa", "hà nội"]),
        (in_upper_case, ["ĐƯỜNG HÒA", "HÀ NỘI"]),
    ],
)
def test_surfaces(change, surfaces):
    assert [entity.text for entity in change(HOA).entities] == surfaces


@pytest.mark.parametrize("between", [" ", "_", "\n "])
def test_syllables_of_a_segment_change_one_by_one(between):
    first = f"Bà{between}Hòa"
    text = f"{first} ở Thủy{between}Nguyên"
    document = Document(text, words=[(0, len(first)), (len(first) + 1, len(first) + 2), (len(first) + 3, len(text))])

    def words(changed: Document) -> list[str]:
        return [changed.text[start:end] for start, end in changed.words]

    assert words(in_other_tone_style(document)) == [f"Bà{between}Hoà", "ở", f"Thuỷ{between}Nguyên"]
    assert words(with_telex(document, Random(1), 1.0)) == [f"Baf{between}Hoaf", "owr", f"Thuyr{between}Nguyeen"]


def test_characters_that_change_their_length_keep_offsets():
    document = Document("İzmir, Straße", entities=[Entity(0, 5, "PLACE"), Entity(7, 13, "STREET")])
    assert [entity.text for entity in in_lower_case(document).entities] == ["i̇zmir", "straße"]
    assert [entity.text for entity in in_upper_case(document).entities] == ["İZMIR", "STRASSE"]


@settings(deadline=None)
@given(documents())
def test_upper_case_of_a_surface_is_the_surface_in_upper_case(document):
    changed = in_upper_case(document)
    assert changed.text == document.text.upper()
    assert [item.text for item in changed.entities] == [item.text.upper() for item in document.entities]


@settings(deadline=None)
@given(documents())
def test_a_decomposed_surface_is_canonically_equivalent(document):
    changed = decomposed(document)
    assert nfc(changed.text) == nfc(document.text)
    assert [nfc(item.text) for item in changed.entities] == [nfc(item.text) for item in document.entities]


@settings(deadline=None)
@given(documents())
def test_diacritics_are_all_that_is_lost(document):
    changed = without_diacritics(document)
    assert [strip_diacritics(item.text) for item in changed.entities] == [strip_diacritics(e.text) for e in document.entities]


@settings(deadline=None)
@given(documents())
def test_the_other_tone_style_is_one_that_the_view_undoes(document):
    changed = in_other_tone_style(document)
    for before, after in zip(document.words or (), changed.words or (), strict=True):
        old, new = document.text[slice(*before)], changed.text[slice(*after)]
        assert tone_style(old, "old") == tone_style(new, "old")
    assert in_other_tone_style(Document("hoà hòa qúy")).text == "hòa hoà qúy"
