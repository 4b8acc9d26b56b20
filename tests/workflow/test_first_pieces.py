import shutil

import numpy as np
import onnx
import onnxruntime
import pytest

from viner.encoding import FIRST_PIECES
from viner.workflow.first_pieces import pick_first_pieces


@pytest.fixture(scope="module")
def graphs(encoder_graph, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    shutil.copy(encoder_graph, folder / "whole.onnx")
    graph = onnx.load(folder / "whole.onnx")
    pick_first_pieces(graph.graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, folder / "picked.onnx")
    return folder


def run(path, **inputs):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, inputs)[0]


def test_the_rows_asked_for_are_those_of_the_whole_answer(graphs):
    random = np.random.default_rng(0)
    ids = random.integers(5, 100, (3, 11))
    mask = np.ones_like(ids)
    mask[1, 6:] = 0
    whole = run(graphs / "whole.onnx", input_ids=ids, attention_mask=mask)
    first = np.array([0, 3, 16, 32, 3])
    picked = run(graphs / "picked.onnx", input_ids=ids, attention_mask=mask, **{FIRST_PIECES: first})
    assert picked.shape == (5, 5)
    assert np.abs(picked - whole.reshape(33, 5)[first]).max() < 1e-5


def test_no_more_rows_than_asked_for_are_computed_behind_the_last_attention(graphs):
    graph = onnx.load(graphs / "picked.onnx").graph
    constants = {item.name: item for item in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}

    def picked(name):
        """Whether a tensor has picked rows: some way up from it leads through the picking, and not through an attention."""
        node = makers.get(name)
        if node is None or node.op_type in ("Softmax", "Transpose"):
            return False
        return FIRST_PIECES in node.input or any(picked(item) for item in node.input)

    products = [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in constants]
    # Two layers of six products each, and the classifier: of the last layer the attention's output and the feed-forward ones.
    assert sum(picked(node.input[0]) for node in products[-4:]) >= 4
    assert sum(picked(node.input[0]) for node in products) <= 5


def test_nothing_is_computed_twice(graphs):
    whole, picked = (onnx.load(graphs / name).graph for name in ("whole.onnx", "picked.onnx"))

    def heavy(graph):
        return sorted(
            node.op_type for node in graph.node if node.op_type in ("MatMul", "Softmax", "LayerNormalization", "Gelu")
        )

    assert heavy(picked) == heavy(whole)
