import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.errors import InputError
from viner.project import Pattern
from viner.rules import patterns
from viner.rules.patterns import LONGEST_MATCH, MOST_MATCHES, PatternMatcher


def found(pattern, text):
    return [text[hit.start : hit.end] for hit in PatternMatcher([Pattern("X", pattern)]).find(text)]


def test_offsets_are_code_points_after_emoji_and_marks():
    text = "😷 Bệnh nhân BN12 và 👨\u200d👩\u200d👧 BN345"
    hits = PatternMatcher([Pattern("ID", r"\bBN\d+")]).find(text)
    assert [(hit.start, text[hit.start : hit.end], hit.label) for hit in hits] == [
        (text.index("BN12"), "BN12", "ID"),
        (text.index("BN345"), "BN345", "ID"),
    ]


def test_empty_matches_are_dropped():
    assert found("a*", "baab") == ["aa"]


def test_half_characters_are_dropped():
    assert found(r"\C", "é😷a") == ["a"]


def test_each_pattern_has_its_label():
    hits = PatternMatcher([Pattern("A", "a"), Pattern("B", "b")]).find("ba")
    assert [(hit.start, hit.label) for hit in hits] == [(1, "A"), (0, "B")]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "no regular expression"),
        ("(?=a)", "no regular expression"),
        (r"(a)\1", "no regular expression"),
        ("(a{1000}){1000}", "too large"),
        (r"(\pL{100}){9}", "too large"),
        ("x" * 1_000_000, "too large"),
        ("\ud83d", "lone surrogate"),
    ],
    ids=range(7),
)
def test_patterns_that_cannot_be_used_are_refused_with_their_place(pattern, reason, capfd):
    with pytest.raises(InputError, match=reason) as caught:
        PatternMatcher([Pattern("A", "a"), Pattern("X", pattern)], file="covid/viner.toml")
    assert caught.value.where == "covid/viner.toml: rules.patterns[1].pattern"
    assert capfd.readouterr().err == ""


class Counting:
    """A compiled pattern that notes how much text it was shown."""

    def __init__(self, compiled):
        self.compiled = compiled
        self.shown = self.matches = 0

    def search(self, data, start, stop):
        match = self.compiled.search(data, start, stop)
        self.shown += stop - start
        self.matches += match is not None
        return match

    def match(self, data, start, stop):
        self.shown += stop - start
        return self.compiled.match(data, start, stop)


BOMBS = ["(a+)+$", "(a|aa)*b", "(.*)(.*)(.*)x", ".*z|a", "a{0,900}z|a", "(?:a?){30}a{30}", "[a-z]+", "(a*)*", "(.*z)?"]


@pytest.mark.parametrize("pattern", BOMBS)
@pytest.mark.parametrize("text", ["a" * 200_000, "a " * 100_000, "é" * 100_000], ids=["row", "words", "accents"])
def test_the_text_looked_at_is_linear_in_its_length_whatever_the_pattern(pattern, text, monkeypatch):
    made = []
    compile_ = patterns._compile
    monkeypatch.setattr(patterns, "_compile", lambda *given: made.append(Counting(compile_(*given))) or made[-1])
    hits = PatternMatcher([Pattern("X", pattern)]).find(text)
    assert len(hits) <= MOST_MATCHES
    assert made[0].matches <= len(text.encode()) + 1
    assert made[0].shown <= 3 * len(text.encode()) + 2 * LONGEST_MATCH * (made[0].matches + 1)


def test_a_match_on_the_border_of_two_stretches_is_found_whole():
    for before in range(LONGEST_MATCH - 5, 2 * LONGEST_MATCH + 5):
        assert found(r"\bBN\d+\b", "é" * (before // 2) + " " * (before % 2 + 1) + "BN12345 x") == ["BN12345"]


def test_matches_that_are_too_long_are_dropped_and_so_is_their_rest():
    long = "a" * (10 * LONGEST_MATCH + 7)
    assert found("[a-z]+", f"ab {long} cd") == ["ab", "cd"]
    assert found("[a-z]+", f"ab {'c' * LONGEST_MATCH} cd") == ["ab", "c" * LONGEST_MATCH, "cd"]


def test_what_stands_beside_a_match_that_is_too_long_is_found():
    long = "a" * (10 * LONGEST_MATCH + 7)
    for length in (LONGEST_MATCH + 1, 2 * LONGEST_MATCH - 1, 2 * LONGEST_MATCH, 2 * LONGEST_MATCH + 1, 10 * LONGEST_MATCH):
        assert found("a+|b+", f"{'a' * length}bb") == ["bb"], length
        assert found("[a-z]+;", f"{'a' * length};bb;") == ["bb;"], length
    assert found("[a-z]+(?: [a-z]+)?", f"{long} bcd, e") == ["e"]  # the second word is a part of what is too long
    assert found(r"\w+-\d+", f"{long}-12-34") == []
    assert found("é+|b+", "é" * 5 * LONGEST_MATCH + "bb") == ["bb"]


def test_lines_and_borders_see_the_whole_text():
    text = "x" * (3 * LONGEST_MATCH)
    assert found("^x", text) == ["x"]
    assert found("x$", text) == ["x"]
    assert found(r"\bx\b", text) == []


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["ab+", "a|ab|b+c", r"\bé+", "[^a]{1,3}", "b.*?c", r"\d+(?:-\d+)?"]),
    st.text(st.sampled_from("abcé😷 1-\n"), max_size=120),
)
def test_short_texts_give_what_re2_gives(pattern, text):
    expected = [match.span() for match in re2.finditer(pattern, text) if match.group()]
    assert [(hit.start, hit.end) for hit in PatternMatcher([Pattern("X", pattern)]).find(text)] == expected


def test_suggestions_have_a_limit_and_recognition_has_none():
    matcher = PatternMatcher([Pattern("X", "a")])
    text = "a " * (MOST_MATCHES + 3)
    assert len(matcher.find(text)) == MOST_MATCHES
    assert len(matcher.find(text, most=None)) == MOST_MATCHES + 3


def test_an_error_names_the_place_in_the_file_where_it_is_known():
    with pytest.raises(InputError) as caught:
        PatternMatcher([Pattern("X", "(", place="rules.patterns[3]")], file="rules.toml")
    assert caught.value.where == "rules.toml: rules.patterns[3].pattern"
