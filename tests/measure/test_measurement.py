from __future__ import annotations

import json
from dataclasses import replace

import pytest

from viner.document import Document
from viner.errors import InputError
from viner.measure import Ceiling, measure_model, to_text
from viner.measure.stages import STAGES

TEXTS = ["Lan ở Hà Nội, Minh ở Huế.", "Nguyễn Văn A từ Huế đến Paris", "không có gì", "Minh"]


@pytest.fixture(scope="module")
def found(tiny_model):
    with pytest.MonkeyPatch.context() as patch:
        ceilings = {"int8": Ceiling("int8", 4e9, "so"), "fp32": Ceiling("fp32", 1e9, "and so")}
        patch.setattr("viner.measure.measurement.measure_ceilings", lambda cores: ceilings)
        yield measure_model(tiny_model, map(Document, TEXTS))


def test_the_parts_are_all_of_a_pieces_time(found):
    assert sum(part.seconds for part in found.parts) == pytest.approx(found.cores / found.pieces_per_s)
    assert {part.name for part in found.parts} >= set(STAGES) - {"graph"}
    assert sum(part["share"] for part in found.to_dict()["parts"]) == pytest.approx(1)


def test_the_products_at_the_ceilings_rate_have_the_share_of_the_ceiling(found):
    least = next(part for part in found.to_dict()["parts"] if part["name"] == "products at the ceiling's rate")
    assert least["share"] == pytest.approx(found.share_of("int8"))
    assert found.share_of("int8") == pytest.approx(found.pieces_per_s * found.profile.operations_per_piece / 4e9)
    assert found.share_of("fp32") == pytest.approx(4 * found.share_of("int8"))


def test_it_counts_what_it_recognized(found):
    assert (found.documents, found.words) == (4, 20)
    assert found.pieces >= found.words
    assert found.padding == 0
    assert "padding" not in to_text(found)
    assert "25.0% of the graph's work is padding" in to_text(replace(found, padding=0.25))


def test_it_goes_into_json_and_into_text(found):
    data = json.loads(json.dumps(found.to_dict()))
    assert data["ceilings"]["int8"]["how"] == "so"
    assert data["one_sentence_p50_ms"] <= data["one_sentence_p99_ms"]
    text = to_text(found)
    for words in ("4 documents, 20 words", "products at the ceiling's rate", "one sentence of", "bf16 is measured with torch"):
        assert words in text


def test_an_arithmetic_that_nobody_measured_has_no_share(tiny_model, monkeypatch):
    monkeypatch.setattr("viner.measure.measurement.measure_ceilings", lambda cores: {"int8": Ceiling("int8", 1e9, "")})
    monkeypatch.setattr("viner.runtime.engine.OnnxEngine.arithmetic", "bf16")
    found = measure_model(tiny_model, map(Document, TEXTS))
    assert (found.engine, found.arithmetic) == ("int8", "bf16")
    assert "products at the ceiling's rate" not in {part.name for part in found.parts}
    assert sum(part.seconds for part in found.parts) == pytest.approx(found.cores / found.pieces_per_s)
    assert "int8 computed in bf16 with onnxruntime" in to_text(found)


def test_long_inputs_are_measured_up_to_a_bound(tiny_model, monkeypatch):
    monkeypatch.setattr("viner.measure.measurement.measure_ceilings", lambda cores: {"int8": Ceiling("int8", 1e9, "")})
    monkeypatch.setattr("viner.measure.measurement.MOST_PIECES", 10)
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield Document("Lan ở Huế", words=[(0, 3), (6, 9)])

    assert measure_model(tiny_model, endless()).documents == len(taken) == 5


def test_it_measures_the_words_that_documents_bring(tiny_model, monkeypatch):
    monkeypatch.setattr("viner.measure.measurement.measure_ceilings", lambda cores: {"int8": Ceiling("int8", 1e9, "")})
    documents = [Document("Lan ở Huế", words=[(0, 9)]), Document("Lan ở Huế")]
    assert measure_model(tiny_model, documents).words == 4


def test_texts_without_a_word_are_an_error(tiny_model):
    with pytest.raises(InputError, match="no word"):
        measure_model(tiny_model, [Document(" ")])


def test_a_cascade_is_measured_as_one(tmp_path, monkeypatch):
    from support.tiny import tiny_cascade

    monkeypatch.setattr("viner.measure.measurement.measure_ceilings", lambda cores: {"int8": Ceiling("int8", 4e9, "so")})
    found = measure_model(tiny_cascade(tmp_path / "model"), map(Document, TEXTS))
    assert (found.engine, found.arithmetic) == ("cascade", "int8")
    assert sum(part.seconds for part in found.parts) == pytest.approx(found.cores / found.pieces_per_s)
    assert "model, cascade with onnxruntime" in to_text(found)


def test_a_document_of_any_length_is_measured_up_to_the_bound(tiny_model, monkeypatch):
    monkeypatch.setattr("viner.measure.measurement.measure_ceilings", lambda cores: {"int8": Ceiling("int8", 1e9, "")})
    monkeypatch.setattr("viner.measure.measurement.MOST_PIECES", 10)
    found = measure_model(tiny_model, [Document("Lan"), Document("Lan ở Huế " * 100), Document("never seen")])
    assert (found.documents, found.words) == (2, 10)
    brought = measure_model(tiny_model, [Document("Lan ở Huế " * 100, words=[(10 * n, 10 * n + 3) for n in range(100)])])
    assert brought.words == 10


def test_documents_that_bring_no_word_have_none_to_measure(tiny_model):
    with pytest.raises(InputError, match="the texts have no word"):
        measure_model(tiny_model, [Document("Lan ở Huế", words=[])])
