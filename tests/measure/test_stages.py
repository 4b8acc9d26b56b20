from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import viner
from support.tiny import tiny_bundle
from viner.bundle import read_bundle
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.measure import StagedRecognizer
from viner.measure.stages import STAGES
from viner.metrics.calibration import Calibration
from viner.runtime import OnnxEngine, Recognizer

TEXTS = [
    "Lan ở Hà Nội.",
    "",
    "Nguyễn Văn A từ Huế đến Paris. " * 40,  # several windows
    "không có gì",
    "Minh, Nam và Lan; Hà Nội!",
    *(f"Lan {'x' * number} Huế" for number in range(60)),
]


@pytest.fixture
def staged(tiny_model):
    bundle = read_bundle(tiny_model)
    encoder = PieceEncoder.from_folder(tiny_model, views=bundle.info.views, max_pieces=bundle.info.windows.pieces)
    return StagedRecognizer(bundle.info, encoder, OnnxEngine(bundle.graph, "entities", threads=2), budget=128)


def test_stage_by_stage_gives_what_the_recognizer_gives(tiny_model, staged):
    documents = [Document(text, id=str(number), meta={"n": number}) for number, text in enumerate(TEXTS)]
    documents.append(Document("Hà Nội", words=[(0, 2), (3, 6)]))
    for found, expected in zip(staged(documents).documents, viner.load(tiny_model).stream(documents), strict=True):
        assert (found.text, found.id, found.meta, list(found.words)) == (
            expected.text,
            expected.id,
            expected.meta,
            list(expected.words),
        )
        assert [(e.start, e.end, e.label) for e in found.entities] == [(e.start, e.end, e.label) for e in expected.entities]
        np.testing.assert_allclose([e.score for e in found.entities], [e.score for e in expected.entities], atol=1e-3)


def test_scores_are_calibrated_as_the_recognizer_does(tiny_model):
    info = replace(read_bundle(tiny_model).info, calibration=Calibration(slope=0.5, intercept=-1.0))
    recognizer = Recognizer.from_graph(info, tiny_model, tiny_model / "model.onnx")
    encoder = PieceEncoder.from_folder(tiny_model, views=info.views, max_pieces=info.windows.pieces)
    staged = StagedRecognizer(info, encoder, OnnxEngine(tiny_model / "model.onnx", "entities", threads=1))
    (found,), expected = staged([Document("Lan ở Hà Nội.")]).documents, recognizer("Lan ở Hà Nội.")
    assert [e.score for e in found.entities] == pytest.approx([e.score for e in expected.entities], abs=1e-3)
    assert max(e.score for e in found.entities) < 0.9
    staged = StagedRecognizer(
        replace(info, least_estimate=1.0), encoder, OnnxEngine(tiny_model / "model.onnx", "entities", threads=1)
    )
    assert staged([Document("Lan ở Hà Nội.")]).documents[0].entities == ()


def test_it_counts_and_times_each_stage(staged):
    result = staged([Document("Lan ở Huế"), Document("Lan")])
    assert tuple(result.seconds) == STAGES
    assert all(seconds >= 0 for seconds in result.seconds.values())
    assert (result.words, result.pieces) == (4, 4)
    assert result.padding == 0  # an int8 graph computes none


def test_padding_is_told_where_it_is_computed(tmp_path):
    bundle = read_bundle(tiny_bundle(tmp_path / "exact", engine="fp32"))
    encoder = PieceEncoder.from_folder(bundle.path, views=bundle.info.views, max_pieces=bundle.info.windows.pieces)
    engine = OnnxEngine(bundle.graph, "entities", threads=2)
    engine.packed = False  # as graphs of earlier versions are
    staged = StagedRecognizer(bundle.info, encoder, engine, budget=128)
    # Three and one pieces, each between two special ones, side by side: 8 of 10 slots are used.
    assert staged([Document("Lan ở Huế"), Document("Lan")]).padding == pytest.approx(0.2)


def test_nothing_is_no_work(staged):
    result = staged([])
    assert (result.documents, result.batches, result.padding) == ([], [], 0.0)
