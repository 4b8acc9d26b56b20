"""Rules as a file of their own."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.document import Document
from viner.errors import InputError
from viner.project import Dictionary, Pattern
from viner.rules import RecognitionRules, rules_toml
from viner.schema import Layer, Schema, Type

# Everything that a TOML file can hold: quotes, backslashes, control characters, line ends, emoji.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
WORDS = st.builds(lambda word, odd: f"{word}{odd}", st.sampled_from(["Huế", "Hoà", "x"]), TEXTS)
PRECEDENCES = st.sampled_from(["over", "under"])
DICTIONARIES = st.builds(
    Dictionary, TEXTS, st.lists(WORDS, min_size=1, max_size=4, unique=True).map(tuple), st.booleans(), PRECEDENCES
)
PATTERNS = st.builds(Pattern, TEXTS, st.text(string.ascii_letters + " '\"#=đễ😷", min_size=1).filter(str.strip), PRECEDENCES)


def read_back(text, folder):
    (folder / "rules.toml").write_text(text, encoding="utf-8", newline="\n")
    return RecognitionRules.read(folder / "rules.toml")


@given(dictionaries=st.lists(DICTIONARIES, max_size=3), patterns=st.lists(PATTERNS, max_size=3), described=st.booleans())
def test_what_is_read_back_are_the_same_rules(dictionaries, patterns, described, tmp_path_factory):
    labels = dict.fromkeys(rule.label for rule in (*dictionaries, *patterns))
    schema = None
    if described:
        types = tuple(Type(label, f'of "{label}"', "#123456", "k") for label in reversed(labels))
        schema = Schema((Layer("names", "entities", types), Layer("about", "labels", (Type("URGENT"),))))
    rules = RecognitionRules(dictionaries, patterns, schema=schema)
    text = rules_toml(rules)
    back = read_back(text, tmp_path_factory.mktemp("rules"))
    assert back.to_dict() == rules.to_dict()
    assert back.types == rules.types
    assert rules_toml(back) == text


def test_lists_of_terms_come_along_and_their_files_are_forgotten(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "towns.txt").write_text("\ufeffHuế\n\n  Đà Nẵng \nHuế\n", encoding="utf-8")
    (tmp_path / "viner.toml").write_text(
        """
        name = "Trips"
        [[schema.layers]]
        name = "entities"
        kind = "entities"
        types = ["PERSON", {name = "TOWN", description = "Towns", color = "#102030"}]
        [rules]
        recognize = "under"
        [[rules.dictionaries]]
        label = "TOWN"
        terms = ["Hội An"]
        file = "lists/towns.txt"
        ignore_case = true
        [[rules.patterns]]
        label = "PERSON"
        pattern = 'BN\\d+'
        recognize = "never"
        """,
        encoding="utf-8",
    )
    text = rules_toml(RecognitionRules.read(tmp_path / "viner.toml"))
    assert str(tmp_path) not in text
    assert "towns.txt" not in text
    assert "BN" not in text
    assert "PERSON" not in text
    (tmp_path / "elsewhere").mkdir()
    there = read_back(text, tmp_path / "elsewhere")
    assert there.dictionaries == (Dictionary("TOWN", ("Hội An", "Huế", "Đà Nẵng"), True, "under"),)
    assert there.types == (Type("TOWN", "Towns", "#102030"),)
    found = there.apply(Document("Lan ở HUẾ"), {"TOWN": 0})
    assert [(entity.text, entity.label) for entity in found.entities] == [("HUẾ", "TOWN")]


def test_a_label_of_two_layers_is_one_type(tmp_path):
    layers = tuple(Layer(name, "entities", (Type("TOWN", f"of {name}"),)) for name in ("entities", "places"))
    rules = RecognitionRules([Dictionary("TOWN", ("Huế",), recognize="over")], schema=Schema(layers))
    assert read_back(rules_toml(rules), tmp_path).types == (Type("TOWN", "of entities"),)
    assert rules.extend(Schema(())).entity_labels == ("TOWN",)


def test_an_error_names_the_file_that_was_read(tmp_path):
    rules = RecognitionRules([], [Pattern("ID", "BN", "over")])
    with pytest.raises(InputError) as caught:
        read_back(rules_toml(rules).replace('"BN"', '"BN("'), tmp_path)
    assert caught.value.where == f"{tmp_path / 'rules.toml'}: rules.patterns[0].pattern"
