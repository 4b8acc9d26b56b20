import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import viner
from viner.document import Document
from viner.errors import InputError, UsageError
from viner.project import Dictionary, Pattern
from viner.rules import RecognitionRules, RuledRecognizer, everything, with_rules
from viner.runtime import Recognizer

RULES = """
[[rules.dictionaries]]
label = "ORG"
terms = ["Đại học Hà Nội"]
recognize = "over"

[[rules.patterns]]
label = "ID"
pattern = 'BN\\d+'
recognize = "under"
"""
SCHEMA = """
[[schema.layers]]
name = "entities"
kind = "entities"
types = ["PERSON", "LOCATION", "ORG", {name = "ID", color = "#123456"}]
"""
TEXT = "Lan (BN12) học ở Đại học Hà Nội."


@pytest.fixture(scope="module")
def ner(tiny_model):
    return Recognizer.load(tiny_model)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    return tmp_path / "rules.toml"


@pytest.fixture
def project(tmp_path, tiny_model):
    folder = tmp_path / "covid"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "001").symlink_to(tiny_model, target_is_directory=True)
    (folder / "viner.toml").write_text(SCHEMA + RULES, encoding="utf-8")
    return folder


def shown(document):
    return [(entity.text, entity.label, entity.source) for entity in document.entities]


ALONE = [("Lan", "PERSON", "model"), ("Hà Nội", "LOCATION", "model")]
RULED = [("Lan", "PERSON", "model"), ("BN12", "ID", "pattern"), ("Đại học Hà Nội", "ORG", "dictionary")]


def test_a_model_answers_under_the_rules_of_a_file(tiny_model, file):
    assert shown(viner.load(tiny_model)(TEXT)) == ALONE
    assert shown(viner.load(tiny_model, rules=file)(TEXT)) == RULED
    assert shown(viner.load(tiny_model, rules=str(file))(TEXT)) == RULED


def test_a_project_answers_under_its_own_rules(project, tiny_model, file):
    assert shown(viner.load(project)(TEXT)) == RULED
    assert shown(viner.load(project, rules=False)(TEXT)) == ALONE
    assert shown(viner.load(project / "models" / "001")(TEXT)) == ALONE  # a model folder is a model alone
    file.write_text(RULES.replace("BN", "Lan|BN").replace('"under"', '"over"'), encoding="utf-8")
    assert shown(viner.load(project, rules=file)(TEXT))[0] == ("Lan", "ID", "pattern")


def test_a_project_whose_rules_only_suggest_answers_as_its_model_does(project):
    (project / "viner.toml").write_text(SCHEMA + RULES.replace("recognize", "# recognize"), encoding="utf-8")
    assert isinstance(viner.load(project), Recognizer)


def test_settings_that_have_nothing_to_do_with_rules_keep_no_model_from_answering(project):
    (project / "viner.toml").write_text("[annotation]\norder = 'misspelled'\n" + SCHEMA + RULES, encoding="utf-8")
    assert shown(viner.load(project)(TEXT)) == RULED


def test_a_file_that_is_asked_for_must_have_a_rule_that_recognizes(tiny_model, file, tmp_path):
    for text in ("", "[rules]\n", RULES.replace("recognize", "# recognize")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="none of its rules recognizes") as caught:
            viner.load(tiny_model, rules=file)
        assert caught.value.where == str(file)
        assert 'recognize = "over"' in caught.value.hint
    with pytest.raises(InputError, match="cannot be read"):
        viner.load(tiny_model, rules=tmp_path / "nowhere.toml")


def test_it_is_a_recognizer_as_any_other(ner, file):
    ruled = with_rules(ner, "models/003", file)
    assert isinstance(ruled, RuledRecognizer)
    assert ruled.info is ner.info
    assert ruled.recognizer is ner
    assert ruled.labels == ("PERSON", "LOCATION", "ORG", "ID")
    assert ruled.schema.entity_labels == ruled.labels
    document = ruled(Document(TEXT, id="7", meta={"page": 3}))
    assert (document.id, document.meta) == ("7", {"page": 3})
    assert document.words == ner(TEXT).words
    told = []
    assert [shown(answer) for answer in ruled.stream([TEXT], unanswered=lambda *gap: told.append(gap))] == [RULED]
    assert told == []


def test_the_model_judges_and_the_rules_answer(ner, file):
    ruled = with_rules(ner, "models/003", file)
    (alone,) = ner.judged([TEXT])
    (judged,) = ruled.judged([TEXT])
    assert judged[1] == alone[1]
    assert shown(judged[0]) == RULED


def test_colors_of_a_project_are_those_of_the_answer(project):
    layer = viner.load(project).schema["entities"]
    assert layer.color("ID") == "#123456"
    assert layer.names == ("PERSON", "LOCATION", "ORG", "ID")


WORDS = ["Lan", "Nam", "Hà", "Nội", "Huế", "ở", "BN1", "BN22", "😷", "é", "e\u0301", ".", "\r\n", "x" * 80]
texts = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
terms = st.lists(st.sampled_from(WORDS[:9]), min_size=1, max_size=3).map(" ".join)
precedences = st.sampled_from(["over", "under", "never"])
dictionaries = st.builds(
    Dictionary,
    st.sampled_from(["PERSON", "LOCATION", "ORG"]),
    st.lists(terms, min_size=1, max_size=4, unique=True).map(tuple),
    st.booleans(),
    precedences,
)
patterns = st.builds(
    Pattern, st.sampled_from(["ID", "PERSON"]), st.sampled_from([r"BN\d", r"\d+", "Nội|Huế", r"\w+ ở", ".", r"\s"]), precedences
)
rule_sets = st.builds(RecognitionRules, st.lists(dictionaries, max_size=3), st.lists(patterns, max_size=3))


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6), rule_sets)
def test_alone_or_among_others_the_answer_is_the_same_and_exact(ner, items, rules):
    ruled = RuledRecognizer(ner, rules)
    together = list(ruled.stream(items))
    assert together == [ruled(text) for text in items] == list(reversed(list(ruled.stream(reversed(items)))))
    for text, document in zip(items, together, strict=True):
        assert document.text == text
        alone = {(entity.start, entity.end, entity.label) for entity in ner(text).entities}
        end = 0
        for entity in document.entities:
            assert entity.start >= end, "entities overlap, and the model's do not"
            end = entity.end
            assert text[entity.start : entity.end] == entity.text
            assert entity.label in ruled.labels
            assert (entity.source == "model") == (entity.score is not None)
            assert entity.source != "model" or (entity.start, entity.end, entity.label) in alone


@settings(max_examples=60, deadline=None)
@given(texts, rule_sets)
def test_rules_under_the_model_take_nothing_away(ner, text, rules):
    under = [rule for rule in (*rules.dictionaries, *rules.patterns) if rule.recognize == "under"]
    only = RecognitionRules(
        [rule for rule in under if isinstance(rule, Dictionary)], [rule for rule in under if isinstance(rule, Pattern)]
    )
    answer = RuledRecognizer(ner, only)(text)
    assert set(ner(text).entities) <= set(answer.entities)


class Far:
    """A recognizer elsewhere, which cannot be asked for other entities, as a cluster's."""

    least_score = None

    def __init__(self, ner):
        self.info, self.schema, self._ner = ner.info, ner.schema, ner

    def stream(self, items, **options):
        return self._ner.stream(items, **options)


@pytest.mark.parametrize("ruled", [False, True])
def test_all_that_a_model_finds_is_not_promised_where_it_cannot_be_asked_for(ner, file, ruled):
    far = RuledRecognizer(Far(ner), RecognitionRules.read(file)) if ruled else Far(ner)
    with pytest.raises(UsageError, match="this Far answers without") as caught:
        everything(far)
    assert "least_score=0" in caught.value.hint
    asked = Far(ner)
    asked.least_score = 0.0
    kept = RuledRecognizer(asked, RecognitionRules.read(file)) if ruled else asked
    assert everything(kept) is kept


def test_a_recognizer_that_leaves_nothing_out_needs_no_asking(ner, file):
    class Whole(Far):
        @property
        def least_score(self):
            raise AttributeError

    whole = Whole(ner)
    assert everything(whole) is whole
    assert shown(everything(RuledRecognizer(whole, RecognitionRules.read(file)))(TEXT)) == RULED
