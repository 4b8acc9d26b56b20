import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from viner.encoding import FIRST_PIECES, PACKED
from viner.workflow.first_pieces import pick_first_pieces
from viner.workflow.packing import pack_file, pack_pieces


def session(graph):
    return onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module", params=["whole", "picked"])
def graphs(request, encoder_graph):
    """A graph, and the same without its padding; with all pieces as its answer, or the first ones of words."""
    padded, packed = onnx.load(encoder_graph), onnx.load(encoder_graph)
    if request.param == "picked":
        pick_first_pieces(padded.graph)
        pick_first_pieces(packed.graph)
    pack_pieces(packed)
    onnx.checker.check_model(packed)
    return padded, packed


def answers(engine, texts):
    """The logits of each text's pieces; texts stand in one batch, and what stands in the padding changes from call to call."""
    width = max(map(len, texts))
    ids = np.random.default_rng(len(texts)).integers(5, 100, (len(texts), width))
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    first = np.flatnonzero(mask.reshape(-1))
    inputs = {"input_ids": ids, "attention_mask": mask, FIRST_PIECES: first}
    (logits,) = engine.run(None, {item.name: inputs[item.name] for item in engine.get_inputs()})
    rows = logits if logits.ndim == 2 else logits.reshape(-1, logits.shape[-1])[first]
    return np.split(rows, np.cumsum([len(text) for text in texts])[:-1])


def test_the_answers_are_those_of_the_padded_graph_whatever_the_lengths(graphs):
    padded, packed = map(session, graphs)
    random = np.random.default_rng(0)
    for lengths in ((5,), (1, 9), (9, 1, 4), (3, 3, 3), (2, 30, 7, 1, 12)):
        texts = [random.integers(5, 100, length) for length in lengths]
        for expected, answer in zip(answers(padded, texts), answers(packed, texts), strict=True):
            assert np.abs(answer - expected).max() < 1e-5


def test_products_norms_and_gelus_get_no_padding(graphs):
    _, packed = graphs
    constants = {item.name for item in packed.graph.initializer}
    by_row = [
        node
        for node in packed.graph.node
        if node.op_type in ("LayerNormalization", "Gelu") or (node.op_type == "MatMul" and node.input[1] in constants)
    ]
    read = sorted({node.input[0] for node in by_row})
    probe = onnx.ModelProto()
    probe.CopyFrom(packed)
    probe.graph.ClearField("output")
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in read)
    engine = session(probe)
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0]])
    inputs = {"input_ids": np.full_like(mask, 7), "attention_mask": mask, FIRST_PIECES: np.array([0, 3, 6])}
    shapes = [answer.shape[:-1] for answer in engine.run(None, {item.name: inputs[item.name] for item in engine.get_inputs()})]
    padded = [name for name, shape in zip(read, shapes, strict=True) if shape not in ((8,), (3,))]
    # An embedding may be widened where its parts are added, before anything is packed.
    assert len(padded) <= 1
    assert len(by_row) >= 2 * 7


def sums_of_pieces():
    """A graph whose pieces know those before them."""
    random = np.random.default_rng(0)
    inputs = [
        helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["b", "p"]) for name in ("input_ids", "attention_mask")
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["x"]),
        helper.make_node("CumSum", ["x", "axis"], ["sums"]),
        helper.make_node("MatMul", ["sums", "matrix"], ["entities"]),
    ]
    constants = {
        "table": random.normal(size=(20, 8)).astype(np.float32),
        "axis": np.array(1),
        "matrix": random.normal(size=(8, 3)).astype(np.float32),
    }
    outputs = [helper.make_tensor_value_info("entities", onnx.TensorProto.FLOAT, ["b", "p", 3])]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "sums", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def test_a_graph_whose_answers_would_change_stays_as_it_is(monkeypatch):
    model = sums_of_pieces()
    pack_pieces(model)
    assert "packing/rows" in {name for node in model.graph.node for name in node.input}, "the product treats rows alone"
    wrong = lambda node, _: node.op_type in ("CumSum", "MatMul")  # noqa: E731
    model = sums_of_pieces()
    before = model.SerializeToString()
    with monkeypatch.context() as patch:
        patch.setattr("viner.workflow.packing.is_by_row", wrong)
        pack_pieces(model)
    assert model.SerializeToString() == before, "other answers"
    monkeypatch.setattr("viner.workflow.packing.PACKED_PLACES", "packing/counts")
    pack_pieces(model)
    assert model.SerializeToString() == before, "a graph that does not run"


def test_a_file_is_replaced(encoder_graph, tmp_path):
    graph = tmp_path / "model.onnx"
    graph.write_bytes(encoder_graph.read_bytes())
    pack_file(graph)
    pack_file(graph)  # once is enough
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    model = onnx.load(graph)
    assert [item.key for item in model.metadata_props] == [PACKED]
    texts = [[5, 6, 7], [8, 9, 10, 11, 12]]
    for expected, answer in zip(answers(session(onnx.load(encoder_graph)), texts), answers(session(model), texts), strict=True):
        assert np.abs(answer - expected).max() < 1e-5


def test_such_a_graph_says_so(graphs):
    padded, packed = map(session, graphs)
    assert PACKED in packed.get_modelmeta().custom_metadata_map
    assert PACKED not in padded.get_modelmeta().custom_metadata_map
