import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import transformers

from support.bases import tiny_base
from viner.errors import TrainingError
from viner.training import export
from viner.training.export import check_export, export_onnx
from viner.training.model import load_encoder

SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 100,
    "max_position_embeddings": 48,
    "num_labels": 5,
}
CONFIGS = {
    "bert": lambda: transformers.BertConfig(**SHAPE),
    "roberta": lambda: transformers.RobertaConfig(**SHAPE, pad_token_id=1),
    "xlm-roberta": lambda: transformers.XLMRobertaConfig(**SHAPE, pad_token_id=1),
    "electra": lambda: transformers.ElectraConfig(**SHAPE, embedding_size=16),
    "distilbert": lambda: transformers.DistilBertConfig(
        dim=32, n_layers=2, n_heads=4, hidden_dim=64, vocab_size=100, max_position_embeddings=48, num_labels=5
    ),
    "deberta-v2": lambda: transformers.DebertaV2Config(
        **SHAPE,
        relative_attention=True,
        position_buckets=16,
        pos_att_type=["p2c", "c2p"],
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        position_biased_input=False,
        type_vocab_size=0,
    ),
    "modernbert": lambda: transformers.ModernBertConfig(
        **SHAPE, local_attention=8, global_attn_every_n_layers=2, pad_token_id=0, cls_token_id=1, sep_token_id=2,
        bos_token_id=1, eos_token_id=2,
    ),
}  # fmt: skip


def build(name):
    torch.manual_seed(0)
    return transformers.AutoModelForTokenClassification.from_config(CONFIGS[name]()).eval()


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_equal_the_models_for_any_batch_and_length(name, tmp_path):
    model = build(name)
    export_onnx(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [item.name for item in session.get_inputs()] == ["input_ids", "attention_mask"]
    assert [item.name for item in session.get_outputs()] == ["entities"]
    for batch, pieces in ((1, 1), (1, 40), (5, 13)):
        ids = torch.randint(2, 99, (batch, pieces))
        mask = torch.ones_like(ids)
        mask[0, pieces // 2 + 1 :] = 0
        ids[mask == 0] = model.config.pad_token_id or 0
        with torch.no_grad():
            expected = model(input_ids=ids, attention_mask=mask).logits.numpy()
        (logits,) = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        assert logits.dtype == np.float32
        assert np.abs(logits - expected)[mask.numpy() == 1].max() < 1e-5


def test_the_graph_has_stock_operators_only_and_the_layers_name(tmp_path):
    export_onnx(build("bert"), tmp_path / "model.onnx", layer="pos")
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert {node.domain for node in graph.node} == {""}
    assert graph.output[0].name == "pos"
    assert sum(node.op_type == "Gelu" for node in graph.node) == 2


def test_the_model_comes_back_in_the_mode_it_was_in(tmp_path):
    model = build("bert").train()
    export_onnx(model, tmp_path / "model.onnx")
    assert model.training


def test_a_graph_that_answers_differently_is_not_handed_out(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(TrainingError, match="other logits"):
        export_onnx(build("bert"), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_architecture_that_cannot_be_exported_is_told_before_its_training(tmp_path, monkeypatch):
    base = tiny_base(tmp_path / "long", "longformer", tokenizer="BPE", positions=130, layers=2, attention_window=[16, 16])
    with pytest.raises(TrainingError, match="a longformer model cannot be exported to ONNX"):
        check_export(load_encoder(base, 0.0))
    check_export(load_encoder(tiny_base(tmp_path / "other", "ernie"), 0.0))
    monkeypatch.setattr(export, "export_onnx", None)
    check_export(load_encoder(tiny_base(tmp_path / "known", "bert"), 0.0))  # is not tried
