import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import transformers
from onnx import TensorProto, helper, numpy_helper

from viner.runtime.engine import session_options
from viner.training.export import export_onnx
from viner.workflow import activations, quantize
from viner.workflow.quantize import quantize_rows

VOCABULARY = 300


def session(path):
    return onnxruntime.InferenceSession(str(path), session_options(), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128, vocab_size=VOCABULARY, num_labels=7
    )
    model = transformers.AutoModelForTokenClassification.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # so that activations differ in size, as they do in trained models
    export_onnx(model, folder / "fp32.onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantize, "_SMALL_TABLE", VOCABULARY * 64)
        quantize_rows(folder / "fp32.onnx", folder / "int8.onnx")
    return folder


def batch(texts):
    ids = np.zeros((len(texts), max(map(len, texts))), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def test_a_sentence_has_the_same_logits_alone_and_in_any_batch(folder):
    engine = session(folder / "int8.onnx")
    random = np.random.default_rng(0)
    for _ in range(20):
        texts = [random.integers(1, VOCABULARY, random.integers(1, 90)) for _ in range(random.integers(2, 9))]
        (together,) = engine.run(None, batch(texts))
        for row, text in enumerate(texts):
            (alone,) = engine.run(None, batch([text]))
            assert np.abs(together[row, : len(text)] - alone[0]).max() == 0.0


def test_what_stands_in_the_padding_does_not_matter(folder):
    engine = session(folder / "int8.onnx")
    inputs = batch([[5, 6, 7], [8, 9, 10, 11, 12]])
    (before,) = engine.run(None, inputs)
    inputs["input_ids"][0, 3:] = 299
    (after,) = engine.run(None, inputs)
    assert np.array_equal(before[0, :3], after[0, :3])


def test_logits_stay_close_to_float32(folder):
    inputs = batch([np.random.default_rng(1).integers(1, VOCABULARY, 50)])
    (exact,) = session(folder / "fp32.onnx").run(None, inputs)
    (rounded,) = session(folder / "int8.onnx").run(None, inputs)
    assert np.abs(rounded - exact).max() < 0.05 * np.abs(exact).max()


def test_every_constant_matrix_is_int8_and_shared_inputs_are_quantized_once(folder):
    graph = onnx.load(folder / "int8.onnx").graph
    kinds = [node.op_type for node in graph.node]
    constants = {item.name for item in graph.initializer}
    assert not [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in constants]
    assert kinds.count("MatMulInteger") == 3 * 6 + 1
    assert kinds.count("QuantizeLinear") == 3 * 4 + 1
    assert (folder / "int8.onnx").stat().st_size < 0.45 * (folder / "fp32.onnx").stat().st_size


def test_an_all_zero_row_gives_zeros(tmp_path):
    weight = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    weight[:, 2] = 0
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 4])],
        [numpy_helper.from_array(weight, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), tmp_path / "a.onnx")
    quantize_rows(tmp_path / "a.onnx", tmp_path / "b.onnx")
    x = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    x[1] = 0
    (y,) = session(tmp_path / "b.onnx").run(None, {"x": x})
    assert np.all(y[1] == 0)
    assert np.all(y[:, 2] == 0)
    assert np.abs(y - x @ weight).max() < 0.1


def test_a_failed_write_leaves_nothing(folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx, "save", full)
    with pytest.raises(OSError, match="No space"):
        quantize_rows(folder / "fp32.onnx", tmp_path / "int8.onnx")
    assert list(tmp_path.iterdir()) == []


def test_channels_that_stick_out_cost_less_with_samples(folder, tmp_path):
    model = onnx.load(folder / "fp32.onnx")
    for item in model.graph.initializer:
        if "LayerNorm.weight" in item.name and "layer.1" in item.name:
            gain = numpy_helper.to_array(item).copy()
            gain[::16] *= 30
            item.CopyFrom(numpy_helper.from_array(gain, item.name))
    onnx.save(model, tmp_path / "loud.onnx")
    random = np.random.default_rng(0)
    texts = [random.integers(1, VOCABULARY, 20) for _ in range(20)]
    (exact,) = session(tmp_path / "loud.onnx").run(None, batch(texts))
    errors = []
    for samples in ((), [text.astype(np.int64) for text in texts[:10]]):
        quantize_rows(tmp_path / "loud.onnx", tmp_path / "int8.onnx", samples)
        (answer,) = session(tmp_path / "int8.onnx").run(None, batch(texts))
        errors.append(float(np.sqrt(((answer - exact)[10:] ** 2).mean())))
    assert errors[1] < 0.95 * errors[0]


def test_with_samples_a_sentence_still_has_the_same_logits_alone_and_in_a_batch(folder, tmp_path):
    random = np.random.default_rng(1)
    texts = [random.integers(1, VOCABULARY, length).astype(np.int64) for length in (3, 9, 31)]
    quantize_rows(folder / "fp32.onnx", tmp_path / "int8.onnx", texts)
    engine = session(tmp_path / "int8.onnx")
    (together,) = engine.run(None, batch(texts))
    for row, text in enumerate(texts):
        assert np.abs(together[row, : len(text)] - engine.run(None, batch([text]))[0][0]).max() == 0.0


def test_layers_that_share_their_weights_share_what_their_channels_are_divided_by(tmp_path):
    torch.manual_seed(0)
    config = transformers.AlbertConfig(
        hidden_size=64, num_hidden_layers=4, num_attention_heads=4, intermediate_size=128, vocab_size=VOCABULARY,
        embedding_size=16, num_labels=7,
    )  # fmt: skip
    model = transformers.AutoModelForTokenClassification.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(3)
            if "LayerNorm.weight" in name:
                parameter[::16] *= 10
    export_onnx(model, tmp_path / "fp32.onnx")
    random = np.random.default_rng(0)
    texts = [random.integers(1, VOCABULARY, 20).astype(np.int64) for _ in range(20)]
    (exact,) = session(tmp_path / "fp32.onnx").run(None, batch(texts))
    errors = []
    for samples in ((), texts[:10]):
        quantize_rows(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", samples)
        (answer,) = session(tmp_path / "int8.onnx").run(None, batch(texts))
        errors.append(float(np.sqrt(((answer - exact)[10:] ** 2).mean())))
    assert errors[1] < 0.5 * errors[0] < 0.05 * np.abs(exact).max()


def test_samples_are_run_again_where_not_all_moments_can_be_held(folder, tmp_path, monkeypatch):
    texts = [np.random.default_rng(1).integers(1, VOCABULARY, length).astype(np.int64) for length in (30, 9, 31)]
    quantize_rows(folder / "fp32.onnx", tmp_path / "whole.onnx", texts)
    monkeypatch.setattr(activations, "_HELD", 3 * 64**2)
    quantize_rows(folder / "fp32.onnx", tmp_path / "parts.onnx", texts)
    assert (tmp_path / "parts.onnx").read_bytes() == (tmp_path / "whole.onnx").read_bytes()
