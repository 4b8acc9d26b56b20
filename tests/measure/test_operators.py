from __future__ import annotations

import numpy as np
import pytest

from viner.bundle import read_bundle
from viner.errors import BundleError
from viner.measure import Batch, profile_graph
from viner.measure.operators import KINDS, kind_of, operations_of

BATCH = Batch(np.arange(5, 19).reshape(2, 7), np.ones((2, 7), dtype=np.int64), np.arange(14))


def event(operator: str, inputs: list[list[int]], output: list[int]) -> dict:
    shapes = [{"float": shape} for shape in inputs]
    return {"args": {"op_name": operator, "input_type_shape": shapes, "output_type_shape": [{"float": output}]}}


@pytest.mark.parametrize(
    ("operator", "inputs", "output", "kind"),
    [
        ("MatMulInteger", [[2, 7, 384], []], [2, 7, 384], "products"),
        ("MatMul", [[2, 7, 384]], [2, 7, 384], "products"),
        ("MatMul", [[2, 12, 7, 7], [2, 12, 7, 32]], [2, 12, 7, 32], "attention"),
        ("Add", [[2, 12, 7, 7], [2, 1, 1, 7]], [2, 12, 7, 7], "attention"),
        ("Add", [[384], [2, 7, 384]], [2, 7, 384], "Add"),
        ("Transpose", [[2, 7, 12, 32]], [2, 12, 7, 32], "attention"),
        ("BiasGelu", [[2, 7, 1536], [1536]], [2, 7, 1536], "GELU"),
        ("QuantizeLinear", [[2, 7, 384], [], []], [2, 7, 384], "scaling"),
        ("LayerNormalization", [[2, 7, 384], [384], [384]], [2, 7, 384], "norms"),
        ("Gather", [[39107, 384], [2, 7]], [2, 7, 384], "moving"),
        ("NonZero", [[14]], [1, 12], "moving"),
        ("TopK", [[2, 7]], [2, 3], "other"),
    ],
)
def test_operators_have_a_kind(operator, inputs, output, kind):
    assert kind_of(event(operator, inputs, output)) == kind


def test_a_product_takes_two_operations_for_each_weight_and_row():
    assert operations_of(event("MatMul", [[2, 7, 384]], [2, 7, 1536])) == 2 * 14 * 384 * 1536


def test_the_operations_of_a_piece_are_two_for_each_weight(tiny_model):
    profile = profile_graph(read_bundle(tiny_model).graph, [BATCH] * 3)
    layer = 4 * 32 * 32 + 2 * 32 * 64
    assert profile.operations_per_piece == 2 * (2 * layer + 32 * 5)


def test_the_shares_make_a_whole(tiny_model):
    profile = profile_graph(read_bundle(tiny_model).graph, [BATCH])
    assert tuple(profile.kinds) == KINDS
    assert sum(profile.kinds.values()) == pytest.approx(1)
    assert sum(profile.operators.values()) == pytest.approx(1)
    assert profile.kinds["products"] > 0
    assert profile.kinds["attention"] > 0
    assert profile.kinds["GELU"] > 0
    assert profile.kinds["norms"] > 0


def test_padding_adds_nothing_to_what_a_piece_costs(tiny_model):
    ids = np.full((3, 12), 7)
    mask = np.zeros_like(ids)
    mask[0], mask[1, :2], mask[2, :1] = 1, 1, 1
    padded = Batch(ids, mask, np.flatnonzero(mask))
    alone = Batch(ids[:1], mask[:1], np.arange(12))
    graph = read_bundle(tiny_model).graph
    costs = [profile_graph(graph, [batch]).operations_per_piece for batch in (padded, alone)]
    assert costs[0] == pytest.approx(costs[1])


def test_a_graph_without_products_is_told(tmp_path):
    onnx = pytest.importorskip("onnx")
    inputs = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, None) for name in ("input_ids", "attention_mask")
    ]
    output = onnx.helper.make_tensor_value_info("entities", onnx.TensorProto.INT64, None)
    node = onnx.helper.make_node("Add", ["input_ids", "attention_mask"], ["entities"])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "sum", inputs, [output]), opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8
    )
    (tmp_path / "sum.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BundleError, match="no product with weights"):
        profile_graph(tmp_path / "sum.onnx", [BATCH])
