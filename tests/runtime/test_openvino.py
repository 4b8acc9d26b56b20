"""OpenVINO is an extra: its tests skip without it, and fail where VINER_REQUIRE_SYSTEMS asks for it."""

import logging
import math
import multiprocessing
import os

import numpy as np
import pytest

from support.systems import needs_system
from support.tiny import POSITIONS, tiny_bundle
from viner.bundle import read_bundle
from viner.document import Document
from viner.encoding import cut_by_length
from viner.errors import BundleError, UsageError
from viner.runtime import OnnxEngine, Recognizer
from viner.runtime.halves import times_as_fast
from viner.runtime.product import products_overflow
from viner.runtime.provider import open_engine

needs_openvino = needs_system("openvino")


def random_batch(random, rows, pieces):
    ids = random.integers(5, 60, (rows, pieces))
    return ids, np.ones_like(ids), np.arange(0, rows * pieces, 2)


@pytest.fixture(scope="module", params=["int8", "fp32"])
def model(request, tiny_model, tmp_path_factory):
    """A model folder, for each kind of graph."""
    if request.param == "int8":
        if products_overflow():
            pytest.skip("this processor lacks VNNI: viner recognizes in int8 with ONNX Runtime")
        return tiny_model
    return tiny_bundle(tmp_path_factory.mktemp("exact") / "model", engine="fp32")


@pytest.fixture(scope="module")
def engine(model):
    kind = read_bundle(model).info.engine
    return open_engine("openvino", model / "model.onnx", "entities", 2, kind=kind, longest=POSITIONS)


@needs_openvino
def test_it_answers_nearly_what_onnx_runtime_answers(model, engine):
    random = np.random.default_rng(0)
    other = OnnxEngine(model / "model.onnx", "entities")
    for rows, pieces in ((1, 1), (3, 7), (4, 30), (1, 48)):
        batch = random_batch(random, rows, pieces)
        ours, theirs = engine.run(*batch), other.run(*batch)
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < 0.05 * np.abs(theirs).max()


@needs_openvino
@pytest.mark.parametrize(("ratio", "amx", "expected"), [(1.5, False, True), (0.7, False, False), (0.7, True, True)])
def test_bf16_is_taken_where_it_is_faster(model, monkeypatch, ratio, amx, expected):
    from viner.runtime import openvino

    monkeypatch.setattr(openvino, "times_as_fast", lambda: ratio)
    monkeypatch.setattr(openvino, "_has_amx", lambda: amx)
    kind = read_bundle(model).info.engine
    engine = open_engine("openvino", model / "model.onnx", "entities", 1, kind=kind, longest=POSITIONS)
    can = "BF16" in engine._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert engine._bf16 == (can and expected and (kind == "fp32" or amx)), "beside products of integers it gains nothing"


@needs_openvino
def test_how_fast_bf16_is_is_measured_once():
    assert 0 < times_as_fast() < math.inf
    assert times_as_fast() == times_as_fast()


@needs_openvino
def test_what_computes_in_bf16_says_so(model, engine):
    assert engine.arithmetic == ("bf16" if engine._bf16 else None)


@needs_openvino
def test_products_are_computed_in_integers(model, engine):
    nodes = [node.get_rt_info() for node in engine._many._model.get_runtime_model().get_ordered_ops()]
    products = [node for node in nodes if node["layerType"].astype(str).startswith("FullyConnected")]
    kinds = {node["primitiveType"].astype(str).lower() for node in products}
    in_integers = read_bundle(model).info.engine == "int8" and not engine._bf16
    assert kinds
    assert all(kind.endswith("i8") == in_integers for kind in kinds), kinds


@needs_openvino
def test_rows_are_rounded_to_the_same_integers_as_in_the_graph(model, engine):
    """All that may differ is the order of additions in float32, which moves one number in hundreds over a step's edge."""
    if engine._bf16:
        pytest.skip("this processor multiplies faster in bf16")
    batch = random_batch(np.random.default_rng(8), 4, 30)
    theirs = OnnxEngine(model / "model.onnx", "entities").run(*batch)
    assert np.median(np.abs(engine.run(*batch) - theirs)) < 0.002 * np.abs(theirs).max()


@needs_openvino
def test_weights_are_multiplied_by_all_that_int8_parted_from_them(tiny_model, monkeypatch):
    from viner.runtime import openvino

    monkeypatch.setattr(openvino, "_has_amx", lambda: True)
    graph = tiny_model / "model.onnx"
    engine = open_engine("openvino", graph, "entities", 1, kind="int8", longest=POSITIONS)
    names = [node.get_friendly_name() for node in engine._model.get_ordered_ops()]
    assert not [name for name in names if name.endswith(("/smooth", "/integers", "/uint8"))]
    other = OnnxEngine(graph, "entities", 1)
    batch = random_batch(np.random.default_rng(5), 4, 30)
    theirs = other.run(*batch)
    assert np.abs(engine.run(*batch) - theirs).max() < 0.05 * np.abs(theirs).max()


@needs_openvino
def test_a_text_has_the_same_logits_alone_and_beside_others_of_its_length(engine):
    random = np.random.default_rng(1)
    for pieces in (1, 2, 17, 31, 45):
        ids, mask, _ = random_batch(random, 6, pieces)
        whole = engine.run(ids, mask, np.arange(6 * pieces)).reshape(6, pieces, -1)
        for row in range(6):
            alone = engine.run(ids[row : row + 1], mask[:1], np.arange(pieces))
            assert np.array_equal(alone, whole[row])


@needs_openvino
def test_a_lone_batch_gets_the_same_logits_once_it_has_all_cores(engine):
    random = np.random.default_rng(3)
    batches = [random_batch(random, 1, pieces) for pieces in (3, 21, 40)]
    before = [engine.run(*batch) for batch in batches]
    engine.run(*batches[0], lone=True)
    engine._building.join()
    assert engine._one is not None
    for batch, expected in zip(batches, before, strict=True):
        assert np.array_equal(engine.run(*batch, lone=True), expected)


@needs_openvino
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_is_told_that_openvino_cannot_go_on(model):
    ner = Recognizer.load(model, provider="openvino")
    ner("Lan ở Huế")

    def ask(answers):
        try:
            ner("Lan ở Huế")
        except UsageError as error:
            answers.put(str(error))

    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=ask, args=(answers,))
    child.start()
    child.join(60)
    alive = child.is_alive()
    child.kill()
    assert not alive
    assert "its threads stayed behind" in answers.get()


@needs_openvino
def test_a_sequence_is_as_wide_as_its_length_says_whatever_stands_beside_it(engine):
    lengths = np.random.default_rng(2).integers(1, POSITIONS + 1, 500)
    batches = list(engine.batches(lengths))
    assert sorted(index for batch in batches for index in batch) == list(range(500))
    widths = dict(zip(lengths.tolist(), engine._widths(lengths).tolist(), strict=True))
    assert all(length <= width <= POSITIONS and width * 0.9 <= length for length, width in widths.items())
    for batch in batches:
        assert len({widths[length] for length in lengths[batch].tolist()}) == 1
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= engine.budget


@needs_openvino
def test_neighbors_of_other_lengths_in_its_batch_do_not_matter(engine):
    random = np.random.default_rng(4)
    ids, mask, _ = random_batch(random, 3, 32)
    ids[1, 30:] = mask[1, 30:] = 0
    whole = engine.run(ids, mask, np.arange(96)).reshape(3, 32, -1)
    alone = engine.run(ids[1:2, :30], mask[1:2, :30], np.arange(30))
    assert np.array_equal(alone, whole[1, :30])


@needs_openvino
def test_stream_equals_one_by_one_and_nearly_onnx_runtime(model):
    texts = ["Anna lives in Hanoi .", "", "Bob", "Anna and Bob met in Paris , then in Hanoi . " * 30, "Anna \U0001f637 Bob"] * 3
    here, there = (Recognizer.load(model, provider=name) for name in ("openvino", "onnxruntime"))
    assert here.provider == "openvino"
    together = list(here.stream(texts))
    assert together == [here(text) for text in texts]
    ours, theirs = (
        [{(e.start, e.end, e.label) for e in document.entities} for document in found]
        for found in (together, there.stream(texts))
    )
    assert any(theirs)
    if (here.engine, here._engine.arithmetic) != ("int8", "bf16"):
        assert ours == theirs
    # With AMX nothing is rounded to integers. The model is random and so is sure of little, and its sentences are the same.
    assert sum(map(len, map(set.symmetric_difference, ours, theirs))) <= 0.25 * sum(map(len, theirs))


@needs_openvino
def test_where_its_answers_are_wrong_onnx_runtime_takes_over(model, monkeypatch, caplog):
    from viner.runtime.openvino import OpenVinoEngine

    right = OpenVinoEngine._run
    monkeypatch.setattr(OpenVinoEngine, "_run", lambda self, *batch, **how: -right(self, *batch, **how))
    with caplog.at_level(logging.WARNING, "viner"):
        recognizer = Recognizer.load(model, provider="openvino")
    assert recognizer.provider == "onnxruntime"
    assert "with openvino" in caplog.text
    assert isinstance(recognizer("Anna"), Document)


@needs_openvino
def test_without_vnni_onnx_runtime_takes_int8_and_openvino_keeps_float32(tiny_model, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("viner.runtime.recognizer.products_overflow", lambda: True)
    with caplog.at_level(logging.WARNING, "viner"):
        recognizer = Recognizer.load(tiny_model, provider="openvino")
    assert (recognizer.engine, recognizer.provider) == ("int8", "onnxruntime")
    assert "lacks VNNI" in caplog.text
    exact = tiny_bundle(tmp_path / "exact", engine="fp32")
    assert Recognizer.load(exact, provider="openvino").provider == "openvino"


@needs_openvino
def test_a_graph_that_is_none(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"garbage")
    with pytest.raises(BundleError, match="OpenVINO cannot load"):
        open_engine("openvino", tmp_path / "model.onnx", "entities")


@needs_openvino
def test_a_graph_without_int8_products(tiny_model, tmp_path):
    import onnx
    from onnx import TensorProto, helper

    float32 = helper.make_graph(
        [helper.make_node("Identity", ["input_ids"], ["entities"])],
        "nothing",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["a", "b"])],
        [helper.make_tensor_value_info("entities", TensorProto.INT64, ["a", "b"])],
    )
    model = helper.make_model(float32, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(BundleError, match="no int8 products"):
        open_engine("openvino", tmp_path / "model.onnx", "entities")


def test_one_length_a_batch_without_openvino():
    assert list(cut_by_length(np.array([], dtype=np.int64), 10)) == []
    batches = [batch.tolist() for batch in cut_by_length(np.array([3, 12, 3, 3, 4, 3]), 9)]
    assert batches == [[1], [4], [0, 2, 3], [5]]
