import pytest

from support.bases import tiny_base


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A random encoder. Read it, never change it."""
    return tiny_base(tmp_path_factory.mktemp("bases") / "bert")


@pytest.fixture(scope="session", params=["bert", "xlm-roberta", "distilbert", "electra", "albert"])
def encoder_graph(request, tmp_path_factory):
    """The float32 graph of an encoder of each architecture: two layers, 100 pieces in the vocabulary, five tags."""
    import torch
    import transformers

    from viner.training.export import export_onnx

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    if request.param == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
    if request.param == "electra":
        sizes["embedding_size"] = 16
    if request.param == "albert":
        sizes["hidden_act"] = "gelu_new"  # of many operators, some with other widths than the encoder's
    config = transformers.AutoConfig.for_model(request.param, vocab_size=100, num_labels=5, **sizes)
    graph = tmp_path_factory.mktemp("graphs") / "model.onnx"
    export_onnx(transformers.AutoModelForTokenClassification.from_config(config), graph)
    return graph
