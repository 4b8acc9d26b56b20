import onnx
import onnxruntime
import pytest
import torch
import transformers

from viner.training.export import export_onnx


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    config = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, vocab_size=50, num_labels=3
    )
    export_onnx(transformers.AutoModelForTokenClassification.from_config(config), path)
    return path


def test_heads_are_reshaped_without_computing_the_shape(graph):
    nodes = onnx.load(graph).graph.node
    constants = {item.name for item in onnx.load(graph).graph.initializer}
    reshapes = [node for node in nodes if node.op_type == "Reshape" and "attention" in node.output[0]]
    assert len(reshapes) == 2 * 4
    assert all(node.input[1] in constants for node in reshapes)
    assert not [node for node in nodes if node.op_type in ("Shape", "Concat") and "attention" in node.output[0]]


def test_nothing_unused_is_left(graph):
    model = onnx.load(graph).graph
    read = {name for node in model.node for name in node.input} | {item.name for item in model.output}
    assert all(read.intersection(node.output) for node in model.node)
    assert all(item.name in read for item in model.initializer)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 3)])
def test_any_batch_and_length_goes_through(graph, size):
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    ids = torch.randint(5, 50, size, generator=torch.Generator().manual_seed(0)).numpy()
    (logits,) = session.run(None, {"input_ids": ids, "attention_mask": (ids > 0).astype("int64")})
    assert logits.shape == (*size, 3)
