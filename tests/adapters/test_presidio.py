"""The Presidio recognizer, alone and in an engine."""

from __future__ import annotations

import unicodedata

import pytest

import viner
from support.systems import needs_system
from viner.errors import BundleError, InputError, UsageError

pytestmark = [needs_system("presidio_analyzer", "spacy"), pytest.mark.xdist_group("presidio")]

TEXTS = [
    "Lan ở Hà Nội.",
    "😷 Minh, Nam\r\n\r\nvà  Lan; 👨‍👩‍👧 Hà Nội!",
    unicodedata.normalize("NFD", "Nguyễn Văn A từ Huế đến Paris"),
    "không có gì",
]
RULES = """
[[rules.patterns]]
label = "PATIENT_ID"
pattern = 'BN\\d+'
recognize = "over"
"""


@pytest.fixture
def recognizer(tiny_model, tmp_path):
    """Makes a recognizer, with a rule if asked for."""
    from viner.adapters.presidio import VinerRecognizer

    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")

    def make(*args, ruled=False, **options):
        rules = tmp_path / "rules.toml" if ruled else None
        return VinerRecognizer(tiny_model, *args, rules=rules, **options)

    return make


@pytest.fixture
def engine():
    """Makes an engine that asks some recognizers, without a model of spaCy."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

    from viner.adapters.presidio import BlankNlpEngine

    def make(*recognizers, languages=("vi",)):
        registry = RecognizerRegistry(recognizers=list(recognizers), supported_languages=list(languages))
        return AnalyzerEngine(registry=registry, nlp_engine=BlankNlpEngine(*languages), supported_languages=list(languages))

    return make


def test_results_are_viners_entities_at_exact_offsets(recognizer, engine, tiny_model):
    ner, analyzer = viner.load(tiny_model), engine(recognizer())
    for text in TEXTS:
        found = sorted(analyzer.analyze(text, language="vi"), key=lambda result: result.start)
        expected = [(entity.start, entity.end, entity.label, entity.score) for entity in ner(text).entities]
        assert [(result.start, result.end, result.entity_type, result.score) for result in found] == expected


def test_presidio_gets_all_that_a_model_finds_since_it_has_thresholds_of_its_own(engine, tiny_model, silent_model):
    from viner.adapters.presidio import VinerRecognizer

    ner, analyzer = viner.load(tiny_model), engine(VinerRecognizer(silent_model))
    for text in TEXTS:
        found = sorted(analyzer.analyze(text, language="vi"), key=lambda result: result.start)
        assert [result.start for result in found] == [entity.start for entity in ner(text).entities]
    loaded, frugal = viner.load(silent_model), viner.load(silent_model, least_score=1)
    assert engine(VinerRecognizer(loaded)).analyze(TEXTS[0], language="vi")
    assert not engine(VinerRecognizer(frugal)).analyze(TEXTS[0], language="vi")


def test_supported_entities_are_the_schema_or_what_a_mapping_makes_of_it(recognizer, engine):
    assert recognizer(ruled=True).get_supported_entities() == ["PERSON", "LOCATION", "PATIENT_ID"]
    mapped = recognizer(entities={"LOCATION": "GPE", "PERSON": None})
    assert mapped.get_supported_entities() == ["GPE"]
    assert [result.entity_type for result in engine(mapped).analyze(TEXTS[0], language="vi")] == ["GPE"]
    merged = recognizer(entities={"LOCATION": "WHO_OR_WHERE", "PERSON": "WHO_OR_WHERE"})
    assert merged.get_supported_entities() == ["WHO_OR_WHERE"]
    with pytest.raises(UsageError, match="no label 'LOC'") as caught:
        recognizer(entities={"LOC": "GPE"})
    assert caught.value.hint == "Its labels: PERSON, LOCATION"


def test_an_entity_of_a_rule_is_certain(recognizer, engine):
    found = engine(recognizer(ruled=True)).analyze("Lan (BN12)", language="vi", score_threshold=0.99)
    assert [(result.entity_type, result.score) for result in found] == [("PATIENT_ID", 1.0)]


def test_rules_go_with_a_loaded_recognizer_as_well(recognizer, tmp_path):
    from viner.adapters.presidio import VinerRecognizer

    plain, ruled = recognizer(), recognizer(ruled=True)
    assert VinerRecognizer(plain.recognizer, rules=tmp_path / "rules.toml").analyze("BN12")[0].entity_type == "PATIENT_ID"
    assert VinerRecognizer(ruled.recognizer).analyze("BN12")[0].entity_type == "PATIENT_ID"
    assert VinerRecognizer(ruled.recognizer, rules=False).analyze("BN12") == []
    with pytest.raises(InputError):
        VinerRecognizer(plain.recognizer, rules=tmp_path / "none.toml")


def test_words_around_an_entity_raise_the_scores_of_presidios_own_recognizers(engine):
    from presidio_analyzer import Pattern, PatternRecognizer

    zip_code = PatternRecognizer("ZIP", patterns=[Pattern("zip", r"\b\d{5}\b", 0.1)], context=["mã"], supported_language="vi")
    with_context, without = (engine(zip_code).analyze(text, language="vi") for text in ("mã bưu điện 10023", "số 10023"))
    assert with_context[0].score > without[0].score == 0.1
    assert engine(zip_code).analyze("mã 10023 " + "x " * 600_000, language="vi")[0].entity_type == "ZIP"


def test_only_what_is_asked_for_is_found_and_explained(recognizer, engine):
    (found,) = engine(recognizer()).analyze(TEXTS[0], language="vi", entities=["LOCATION"], return_decision_process=True)
    assert found.entity_type == "LOCATION"
    assert found.analysis_explanation.textual_explanation == "LOCATION, found by model"
    assert found.analysis_explanation.original_score == found.score
    assert found.recognition_metadata["recognizer_name"] == "VinerRecognizer"
    assert [result.entity_type for result in recognizer().analyze(TEXTS[0])] == ["PERSON", "LOCATION"]


def test_one_model_answers_for_several_languages_beside_presidios_own_recognizers(recognizer, engine):
    from presidio_analyzer.predefined_recognizers import CreditCardRecognizer

    from viner.adapters.presidio import VinerRecognizer

    first = recognizer("vi")
    second = VinerRecognizer(first.recognizer, "en", name="again")
    assert second.recognizer is first.recognizer
    analyzer = engine(first, second, CreditCardRecognizer(), languages=("vi", "en"))
    found = analyzer.analyze("Lan pays with 4012888888881881 in Paris", language="en")
    assert {(result.entity_type, result.start) for result in found} == {("PERSON", 0), ("CREDIT_CARD", 14), ("LOCATION", 34)}
    assert [result.entity_type for result in analyzer.analyze("Lan", language="vi")] == ["PERSON"]


def test_what_is_found_can_be_anonymized(recognizer, engine):
    anonymizer = pytest.importorskip("presidio_anonymizer", reason="presidio-anonymizer is not installed").AnonymizerEngine()
    results = engine(recognizer()).analyze(TEXTS[0], language="vi")
    assert anonymizer.anonymize(TEXTS[0], results).text == "<PERSON> ở <LOCATION>."


def test_what_is_no_model_is_refused_at_once(tmp_path):
    from viner.adapters.presidio import VinerRecognizer

    with pytest.raises(BundleError, match="no such model folder"):
        VinerRecognizer(tmp_path / "nowhere")
