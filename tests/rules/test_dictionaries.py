import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.errors import InputError
from viner.project import Dictionary
from viner.rules.dictionaries import LONGEST_TERM, DictionaryMatcher
from viner.text import split_words


def found(text, *dictionaries, words=None):
    return sorted((text[hit.start : hit.end], hit.label) for hit in DictionaryMatcher(dictionaries).find(text, words))


def places(*terms, ignore_case=False):
    return Dictionary("PLACE", terms, ignore_case)


def test_terms_are_found_as_whole_words():
    assert found("Từ Hà Nội đến Hà Nội2, HàNội", places("Hà Nội")) == [("Hà Nội", "PLACE")]
    assert found("38t", places("38")) == [("38", "PLACE")]


def test_the_longest_term_wins_and_hits_of_a_label_do_not_overlap():
    assert found("Hà Nội Bài", places("Hà Nội", "Hà", "Nội Bài")) == [("Hà Nội", "PLACE")]
    assert found("Hà Nội Bài", places("Hà Nội Huế", "Hà")) == [("Hà", "PLACE")]


def test_hits_of_different_labels_may_overlap():
    hits = found("Đại học Hà Nội", places("Hà Nội"), Dictionary("ORG", ("Đại học Hà Nội",)))
    assert hits == [("Hà Nội", "PLACE"), ("Đại học Hà Nội", "ORG")]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("term", ["Hoà Bình", "Hòa Bình", unicodedata.normalize("NFD", "Hòa Bình")])
def test_the_normalization_form_and_the_place_of_the_tone_mark_do_not_matter(form, term):
    for spelling in ("Hoà Bình", "Hòa Bình"):
        surface = unicodedata.normalize(form, spelling)
        assert found(f"😷 tỉnh {surface}.", places(term)) == [(surface, "PLACE")]


def test_case_matters_unless_it_is_ignored():
    assert found("hà nội", places("Hà Nội")) == []
    assert found("hà nội HÀ NỘI", places("Hà Nội", ignore_case=True)) == [("HÀ NỘI", "PLACE"), ("hà nội", "PLACE")]


def test_folding_that_changes_the_length_moves_no_offset():
    assert found("İİİ İstanbul STRASSE", places("i\u0307stanbul", "straße", ignore_case=True)) == [
        ("STRASSE", "PLACE"),
        ("İstanbul", "PLACE"),
    ]


def test_white_space_is_as_good_as_another_but_an_empty_line_ends_a_term():
    assert found("Hà\u00a0 \nNội", places("Hà Nội")) == [("Hà\u00a0 \nNội", "PLACE")]
    assert found("Hà\r\nNội", places("Hà Nội")) == [("Hà\r\nNội", "PLACE")]
    for gap in ("\n\n", "\r\n\r\n", "\n \n"):
        assert found(f"Hà{gap}Nội", places("Hà Nội")) == []


def test_words_stand_apart_as_they_do_in_the_term():
    assert found("38 t và 38t", places("38t")) == [("38t", "PLACE")]


def test_the_words_of_the_document_are_not_cut():
    assert found("Lan-Huế", places("Huế"), words=[(0, 7)]) == []
    assert found("Lan-Huế", places("Huế"), words=[(0, 3), (3, 4), (4, 7)]) == [("Huế", "PLACE")]


@pytest.mark.parametrize(("term", "text"), [("500MG", "500mg"), ("500mg", "500MG"), ("mạng 5G", "Mạng 5g"), ("29b", "29B")])
def test_case_is_ignored_where_words_are_cut_by_it(term, text):
    assert found(f"uống {text} mỗi ngày", places(term, ignore_case=True)) == [(text, "PLACE")]
    assert found(f"uống {text}x mỗi ngày", places(term, ignore_case=True)) == []
    assert found(f"uống {text} mỗi ngày", places(term)) == []


def test_a_shorter_term_that_fits_the_documents_words_stands_where_a_longer_one_does_not():
    words = [(0, 2), (3, 6), (7, 11), (12, 18)]
    assert found("in New York City's", places("New York", "New York City"), words=words) == [("New York", "PLACE")]
    assert found("in New York City's", places("New York", "New York City")) == [("New York City", "PLACE")]


@pytest.mark.parametrize("term", ["", " ", "a " * (LONGEST_TERM + 1)])
def test_terms_that_cannot_be_used_are_refused_with_their_place(term):
    with pytest.raises(InputError) as caught:
        DictionaryMatcher([places("Huế"), places("Huế", term)], file="covid/viner.toml")
    assert caught.value.where == "covid/viner.toml: rules.dictionaries[1].terms[1]"


alphabet = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(alphabet, min_size=1, max_size=5), st.lists(st.sampled_from(["a", "b", "c"]), max_size=20).map(" ".join))
def test_it_finds_what_a_search_for_every_term_at_every_word_finds(terms, text):
    words = split_words(text)
    expected, free = [], 0
    for start, _ in words:
        ends = [end for _, end in words if text[start:end] in terms]
        if ends and start >= free:
            expected.append((start, max(ends)))
            free = max(ends)
    hits = DictionaryMatcher([places(*terms)]).find(text)
    assert sorted((hit.start, hit.end) for hit in hits) == expected


def test_every_occurrence_of_every_term_can_be_asked_for():
    matcher = DictionaryMatcher([places("Hà Nội", "Hà", "Nội Bài", "Huế"), Dictionary("ORG", ("Hà Nội",))])
    text = "Hà Nội Bài"
    hits = matcher.find(text, every=True)
    assert sorted((text[hit.start : hit.end], hit.label) for hit in hits) == [
        ("Hà", "PLACE"),
        ("Hà Nội", "ORG"),
        ("Hà Nội", "PLACE"),
        ("Nội Bài", "PLACE"),
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(alphabet, min_size=1, max_size=5), st.lists(st.sampled_from(["a", "b", "c"]), max_size=20).map(" ".join))
def test_every_occurrence_is_what_a_search_for_every_term_at_every_word_finds(terms, text):
    words = split_words(text)
    expected = {(start, end) for start, _ in words for _, end in words if text[start:end] in terms}
    hits = DictionaryMatcher([places(*terms)]).find(text, every=True)
    assert sorted((hit.start, hit.end) for hit in hits) == sorted(expected)


def test_an_error_names_the_place_in_the_file_where_it_is_known():
    with pytest.raises(InputError) as caught:
        DictionaryMatcher([Dictionary("PLACE", (" ",), place="rules.dictionaries[4]")], file="rules.toml")
    assert caught.value.where == "rules.toml: rules.dictionaries[4].terms[0]"


def test_case_does_not_count_however_many_numbers_stand_before_letters():
    matcher = DictionaryMatcher([Dictionary("NET", ("4g 5g", "5G"), ignore_case=True)])
    text = "4G 5g, 4g 5G, 4G 5G, 4g 5g; 5g 5G"
    assert [text[hit.start : hit.end] for hit in sorted(matcher.find(text))] == [
        "4G 5g", "4g 5G", "4G 5G", "4g 5g", "5g", "5G",
    ]  # fmt: skip
    part = DictionaryMatcher([Dictionary("NET", ("g",), ignore_case=True)])
    assert sorted(hit.start for hit in part.find("5G 5g G")) == [4, 6], "5G is one word, 5g is two"
    assert part.find("5g", [(0, 2)]) == [], "the document says that it is one"
