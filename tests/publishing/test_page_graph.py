"""The graph of a page: the one that the server runs, or the other one, and what halves it changes no answer."""

from __future__ import annotations

import importlib.util
import shutil
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from support.tiny import tiny_bundle, tiny_cascade
from viner.bundle import find_bundle
from viner.errors import BundleError, MissingExtraError, UsageError
from viner.publishing.page_graph import halve, page_graph
from viner.runtime import Recognizer


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A model that chose float32."""
    return tiny_bundle(tmp_path_factory.mktemp("exact") / "model", engine="fp32")


def write_graph(path, **matrices: np.ndarray) -> None:
    """A graph that multiplies its input by one matrix after the other."""
    nodes, last = [], "x"
    for name in matrices:
        nodes.append(helper.make_node("MatMul", [last, name], [f"{name}/out"]))
        last = f"{name}/out"
    first, end = next(iter(matrices.values())), list(matrices.values())[-1]
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", first.shape[0]])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["rows", end.shape[1]])],
        [numpy_helper.from_array(matrix, name) for name, matrix in matrices.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)


def run(path, x: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def kinds(path) -> dict[str, int]:
    return {item.name: item.data_type for item in onnx.load(path).graph.initializer}


def test_a_page_carries_the_graph_that_the_server_runs(tiny_model):
    bundle = find_bundle(tiny_model)
    with page_graph(tiny_model, bundle) as graph:
        assert (graph.path, graph.engine, graph.halved) == (bundle.graph, "int8", False)


def test_a_float32_graph_is_halved_and_answers_the_same(exact):
    bundle = find_bundle(exact)
    texts = [document.text for document in bundle.canaries().documents]
    with page_graph(exact, bundle) as graph:
        assert (graph.engine, graph.halved) == ("fp32", True)
        assert TensorProto.FLOAT16 in kinds(graph.path).values()
        halved = Recognizer.from_graph(bundle.info, bundle.path, graph.path)
        for found, expected in zip(halved.stream(texts), Recognizer.load(exact).stream(texts), strict=True):
            assert [(e.start, e.end, e.label) for e in found.entities] == [(e.start, e.end, e.label) for e in expected.entities]
            assert [e.score for e in found.entities] == pytest.approx([e.score for e in expected.entities], abs=1e-3)
        place = graph.path.parent
    assert not place.exists()


def test_the_other_graph_is_built_from_the_weights(tiny_model, exact, tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path))
    for model, engine in ((tiny_model, "fp32"), (exact, "int8")):
        bundle = find_bundle(model)
        assert bundle.info.engine != engine
        with page_graph(model, bundle, engine) as graph:
            assert graph.engine == engine
            integers = {kind for kind in kinds(graph.path).values() if kind == TensorProto.INT8}
            assert bool(integers) == (engine == "int8")
            found = Recognizer.from_graph(bundle.info, bundle.path, graph.path)("Lan ở Hà Nội.").entities
            assert [entity.label for entity in found] == ["PERSON", "LOCATION"]


def test_without_the_weights_the_other_graph_cannot_be_built(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    model = shutil.copytree(tiny_model, tmp_path / "model")
    (model / "model.safetensors").unlink()
    bundle = find_bundle(model, weights=False)
    with pytest.raises(BundleError, match=r"model\.safetensors"), page_graph(model, bundle, "fp32"):
        pass


def test_without_onnx_the_models_own_graph_goes_and_no_other_is_built(tiny_model, exact, tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "onnx" else find_spec(name, *rest))
    monkeypatch.setitem(sys.modules, "torch", None)
    bundle = find_bundle(exact)
    with page_graph(exact, bundle) as graph:
        assert (graph.path, graph.halved) == (bundle.graph, False)
    with pytest.raises(MissingExtraError, match="train"), page_graph(tiny_model, find_bundle(tiny_model), "fp32"):
        pass


def test_an_unknown_engine_is_refused(tiny_model):
    with pytest.raises(UsageError, match="unknown engine 'int4'"), page_graph(tiny_model, find_bundle(tiny_model), "int4"):
        pass


def test_matrices_are_halved_and_computed_in_float32(tmp_path):
    random = np.random.default_rng(0)
    matrix = random.normal(size=(64, 128)).astype(np.float32)
    write_graph(tmp_path / "whole.onnx", matrix=matrix)
    halve(tmp_path / "whole.onnx", tmp_path / "half.onnx")
    onnx.checker.check_model(str(tmp_path / "half.onnx"))
    assert kinds(tmp_path / "half.onnx") == {"matrix/half": TensorProto.FLOAT16}
    x = random.normal(size=(3, 64)).astype(np.float32)
    expected = x @ matrix.astype(np.float16).astype(np.float32)
    assert np.abs(run(tmp_path / "half.onnx", x) - expected).max() < 1e-4


def test_what_halving_would_break_or_not_shrink_stays_as_it_is(tmp_path):
    random = np.random.default_rng(0)
    large = random.normal(size=(64, 64)).astype(np.float32)
    large[3, 5] = 70_000  # beyond float16, which would make it infinite
    small = random.normal(size=(64, 8)).astype(np.float32)
    write_graph(tmp_path / "whole.onnx", large=large, small=small)
    halve(tmp_path / "whole.onnx", tmp_path / "half.onnx")
    assert kinds(tmp_path / "half.onnx") == {"large": TensorProto.FLOAT, "small": TensorProto.FLOAT}
    x = np.ones((2, 64), np.float32)
    assert np.array_equal(run(tmp_path / "half.onnx", x), run(tmp_path / "whole.onnx", x))


def test_a_page_of_a_cascade_carries_float32(tmp_path):
    folder = tiny_cascade(tmp_path / "model")
    bundle = find_bundle(folder)
    with page_graph(folder, bundle) as graph:
        assert (graph.engine, graph.halved) == ("fp32", True)
    with page_graph(folder, bundle, "int8") as graph:
        assert graph.path == folder / "model.onnx"
    with pytest.raises(UsageError, match="unknown engine 'cascade'"), page_graph(folder, bundle, "cascade"):
        pass
