from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from viner.bundle.processor import VNNI, read_processor
from viner.runtime.engine import session_options
from viner.runtime.product import product_graph, products_overflow


def run(graph: bytes, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, session_options(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def test_an_int8_product_is_that_of_numpy_on_any_processor():
    random = np.random.default_rng(3)
    x = random.integers(0, 256, (5, 7)).astype(np.uint8)
    weights = random.integers(-127, 128, (7, 300)).astype(np.int8)
    graph = product_graph("MatMulInteger", 5, weights, left="uint8", result="int32", zero=128)
    np.testing.assert_array_equal(run(graph, x), (x.astype(np.int32) - 128) @ weights.astype(np.int32))


def test_a_float_product_is_that_of_numpy():
    random = np.random.default_rng(3)
    x, weights = random.standard_normal((4, 6)).astype(np.float32), random.standard_normal((6, 3)).astype(np.float32)
    np.testing.assert_allclose(
        run(product_graph("MatMul", 4, weights, left="float32", result="float32"), x), x @ weights, rtol=1e-5
    )


def test_onnx_itself_finds_nothing_to_complain_about():
    onnx = pytest.importorskip("onnx")
    weights = np.ones((384, 200), dtype=np.int8)  # more than 127 in a dimension: a number of two bytes
    model = onnx.load_from_string(product_graph("MatMulInteger", 1024, weights, left="uint8", result="int32", zero=128))
    onnx.checker.check_model(model, full_check=True)
    assert [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim] == [1024, 200]


def test_products_overflow_where_the_processor_lacks_vnni():
    _, flags = read_processor()
    if not flags:
        pytest.skip("only Linux tells what the processor can do")
    assert products_overflow() is ("sse2" in flags and not flags & (VNNI | {"amx_int8"}))
