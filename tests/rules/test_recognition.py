import unicodedata

import pytest

from viner.document import Document, Entity, Relation
from viner.errors import InputError
from viner.project import Dictionary, Pattern
from viner.rules import RecognitionRules
from viner.schema import Schema, Type

SCHEMA = Schema.of_entities(["PERSON", "PLACE"])
RANKS = {"PERSON": 0, "PLACE": 1, "ID": 2}


def shown(document):
    return [(entity.text, entity.label, entity.source) for entity in document.entities]


def written(tmp_path, text, name="rules.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def answer(text, *entities, **fields):
    """What a model said: entities by their surface."""
    found = [Entity(text.index(s), text.index(s) + len(s), label, score=0.9, source="model") for s, label in entities]
    return Document(text, entities=found, **fields)


def test_a_file_of_rules_alone(tmp_path):
    (tmp_path / "places.txt").write_text("Huế\n\nĐà Nẵng\n", encoding="utf-8")
    path = written(
        tmp_path,
        """
        [rules]
        recognize = "under"
        [[rules.dictionaries]]
        label = "PLACE"
        file = "places.txt"
        [[rules.dictionaries]]
        label = "PERSON"
        terms = ["Lan"]
        ignore_case = true
        recognize = "over"
        [[rules.patterns]]
        label = "ID"
        pattern = 'BN\\d+'
        [[rules.patterns]]
        label = "NOISE"
        pattern = '\\w'
        recognize = "never"
        """,
    )
    rules = RecognitionRules.read(path)
    assert len(rules) == 3
    assert [(rule.label, rule.recognize) for rule in rules.dictionaries] == [("PLACE", "under"), ("PERSON", "over")]
    assert rules.dictionaries[0].terms == ("Huế", "Đà Nẵng")
    assert [rule.label for rule in rules.patterns] == ["ID"]
    assert [item.name for item in rules.types] == ["PLACE", "PERSON", "ID"]
    document = rules.apply(answer("lan và BN12 từ Huế", ("lan và", "PLACE")), RANKS)
    assert shown(document) == [("lan", "PERSON", "dictionary"), ("BN12", "ID", "pattern"), ("Huế", "PLACE", "dictionary")]
    assert [entity.score for entity in document.entities] == [None] * 3


def test_rules_that_only_suggest_are_not_even_opened(tmp_path):
    path = written(tmp_path, '[[rules.dictionaries]]\nlabel = "PLACE"\nfile = "gone.txt"\n')
    assert len(RecognitionRules.read(path)) == 0
    assert len(RecognitionRules.read(written(tmp_path, "name = 'x'"))) == 0


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[rules]\nrecognize = 'above'", "rules.recognize", "none of never, under, over"),
        ("[[rules.patterns]]\nlabel = 'ID'\npattern = 'a'\nrecognize = true", "rules.patterns[0].recognize", "none of never"),
        ("[[rules.patterns]]\nlabel = 'ID'\npattern = 'a'\nrecognise = 'over'", "rules.patterns[0].recognise", "unknown key"),
        ("[rules]\nprecedence = 'over'", "rules.precedence", "unknown key"),
        (
            "[[rules.patterns]]\nlabel = 'ID'\npattern = '('\n[[rules.patterns]]\nlabel='X'\npattern = '['\nrecognize = 'over'",
            "rules.patterns[1].pattern",
            "no regular expression",
        ),
        (
            "[[rules.dictionaries]]\nlabel = 'ID'\nterms = ['a']\n"
            "[[rules.dictionaries]]\nlabel = 'ID'\nterms = ['b', '…']\nfile = '../secret'\nrecognize = 'under'",
            "rules.dictionaries[1].file",
            "outside",
        ),
        ("rules = 3", "rules", "must be a table"),
        (
            "schema = 3\n[[rules.patterns]]\nlabel = 'ID'\npattern = 'a'\nrecognize = 'over'",
            "schema",
            "a schema needs a list",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_file_and_key(tmp_path, text, where, message):
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        RecognitionRules.read(path)
    assert caught.value.where == f"{path}: {where}"


def test_a_label_must_be_in_the_schema_of_the_file_if_it_has_one(tmp_path):
    schema = (
        '[[schema.layers]]\nname = "entities"\nkind = "entities"\ntypes = [{name = "PERSON", color = "#123456"}, "PLACE"]\n'
    )
    rule = "[[rules.patterns]]\nlabel = '{}'\npattern = 'a'\nrecognize = 'over'\n"
    (known,) = RecognitionRules.read(written(tmp_path, schema + rule.format("PERSON"))).types
    assert known == Type("PERSON", color="#123456")
    path = written(tmp_path, schema + rule.format("PERSN"))
    with pytest.raises(InputError, match="'PERSN' is no label of the schema") as caught:
        RecognitionRules.read(path)
    assert caught.value.where == f"{path}: rules.patterns[0].label"
    assert caught.value.hint == "Did you mean 'PERSON'?"
    with pytest.raises(InputError) as caught:
        RecognitionRules.read(written(tmp_path, schema + rule.format("X")))
    assert caught.value.hint == "Labels: PERSON, PLACE"


def test_types_that_the_model_lacks_come_last_in_the_schema():
    rules = RecognitionRules(patterns=[Pattern("ID", "a", "over"), Pattern("PLACE", "b", "over"), Pattern("X", "c")])
    schema = rules.extend(SCHEMA)
    assert schema.entity_labels == ("PERSON", "PLACE", "ID")
    assert RecognitionRules(patterns=[Pattern("PLACE", "b", "over")]).extend(SCHEMA) is SCHEMA
    assert rules.extend(Schema(())).entity_labels == ("ID", "PLACE")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_offsets_are_those_of_the_raw_text(form):
    text = unicodedata.normalize(form, "😷 Bệnh nhân\r\nBN12 👨‍👩‍👧 từ Hoà Bình.\r\n")
    rules = RecognitionRules([Dictionary("PLACE", ("Hòa Bình",), recognize="under")], [Pattern("ID", r"BN\d+", "over")])
    document = rules.apply(Document(text, entities=[]), RANKS)
    assert shown(document) == [
        ("BN12", "ID", "pattern"),
        (unicodedata.normalize(form, "Hoà Bình"), "PLACE", "dictionary"),
    ]
    assert document.text == text


def test_spans_that_no_person_could_mark_are_no_entities():
    family = "👨\u200d👩\u200d👧"
    rules = RecognitionRules(
        patterns=[Pattern("ID", "👨", "over"), Pattern("ID", r"\d+ ", "over"), Pattern("ID", r"e", "over")]
    )
    document = Document(f"{family} 12 e\u0301 e", entities=[])
    found = rules.apply(document, RANKS)
    assert [(entity.start, entity.end) for entity in found.entities] == [(len(document.text) - 1, len(document.text))]


def test_terms_do_not_cut_the_words_of_the_document():
    rules = RecognitionRules([Dictionary("PLACE", ("Huế",), recognize="over")])
    assert shown(rules.apply(Document("Lan-Huế", words=[(0, 7)], entities=[]), RANKS)) == []
    assert shown(rules.apply(Document("Lan-Huế", words=[(0, 3), (3, 4), (4, 7)], entities=[]), RANKS)) != []


def test_a_document_without_hits_is_the_very_same():
    rules = RecognitionRules(patterns=[Pattern("ID", "z", "over")])
    document = answer("Lan", ("Lan", "PERSON"))
    assert rules.apply(document, RANKS) is document


def test_what_a_model_did_not_look_for_is_filled_in():
    rules = RecognitionRules(patterns=[Pattern("ID", "a", "under")])
    assert shown(rules.apply(Document("a"), RANKS)) == [("a", "ID", "pattern")]


def test_a_relation_goes_with_its_entity():
    entities = [Entity(0, 3, "PERSON", id="a"), Entity(4, 7, "PLACE", id="b"), Entity(8, 9, "PLACE", id="c")]
    relations = [Relation("a", "b", "lives"), Relation("a", "c", "lives")]
    document = Document("Lan Huế x", entities=entities, relations=relations)
    rules = RecognitionRules(patterns=[Pattern("ID", "Huế", "over")])
    assert rules.apply(document, RANKS).relations == (relations[1],)


def test_rules_are_the_same_after_they_were_written_and_read(tmp_path):
    schema = Schema.from_dict({"layers": [{"name": "entities", "types": ["PLACE", {"name": "ID", "color": "#000000"}]}]})
    dictionaries = [Dictionary("PLACE", ("Huế", "Đà Nẵng"), True, "under"), Dictionary("PLACE", ("x",))]
    rules = RecognitionRules(dictionaries, [Pattern("ID", r"BN\d+", "over")], schema=schema)
    again = RecognitionRules.from_dict(rules.to_dict(), tmp_path / "rules.json")
    assert (again.dictionaries, again.patterns, again.types) == (rules.dictionaries, rules.patterns, rules.types)
