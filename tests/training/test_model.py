import json

import numpy as np
import pytest
import torch
import transformers
from torch import nn

from support.bases import LABELS, tiny_base
from viner.errors import BundleError, TrainingError
from viner.training.dropout import PooledDropout, make_pool
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel, check_stock, load_encoder, to_stock

KINDS = ("bert", "roberta", "distilbert", "electra", "deberta-v2", "xlm-roberta", "camembert", "mpnet", "albert")


def build(folder, kind):
    encoder = load_encoder(tiny_base(folder / kind, kind), 0.1)
    head = EntityHead("entities", LABELS, int(encoder.config.hidden_size), 0.1)
    return MultiHeadModel(encoder, [head]), head


@pytest.mark.parametrize("kind", KINDS)
def test_the_stock_model_gives_the_same_logits(tmp_path, kind):
    model, head = build(tmp_path, kind)
    check_stock(model.encoder)
    stock = to_stock(model, head)
    assert stock.config.id2label == dict(enumerate(head.tags))
    assert not stock.training
    assert model.training
    ids = torch.randint(5, 60, (3, 11))
    mask = torch.ones_like(ids)
    mask[0, 6:] = 0
    model.eval()
    with torch.no_grad():
        ours = head(model(ids, mask, torch.arange(33))).view(3, 11, -1)
        theirs = stock(input_ids=ids, attention_mask=mask).logits
    assert (ours - theirs)[mask == 1].abs().max() < 1e-5
    # And so it does after a round trip over the disk.
    stock.save_pretrained(tmp_path / "stock")
    read = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path / "stock", dtype=torch.float32)
    with torch.no_grad():
        assert (read(input_ids=ids, attention_mask=mask).logits - theirs)[mask == 1].abs().max() < 1e-6


def test_an_architecture_whose_stock_form_has_more_is_refused(tmp_path):
    model, head = build(tmp_path, "modernbert")
    for check in (lambda: check_stock(model.encoder), lambda: to_stock(model, head)):
        with pytest.raises(TrainingError, match="no stock token-classification form"):
            check()


def test_a_half_precision_base_trains_in_float32(tmp_path):
    folder = tiny_base(tmp_path / "base")
    transformers.AutoModel.from_pretrained(folder, dtype=torch.float16).save_pretrained(folder)
    assert {parameter.dtype for parameter in load_encoder(folder, 0.1).parameters()} == {torch.float32}


def test_loading_leaves_the_settings_of_transformers_alone(tmp_path):
    before = transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()
    load_encoder(tiny_base(tmp_path / "base"), 0.1)
    assert (transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()) == before


def test_what_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(BundleError, match="cannot be loaded") as caught:
        load_encoder(tmp_path, 0.1)
    assert caught.value.where == str(tmp_path)


def test_attention_has_no_dropout_and_the_rest_has(tmp_path):
    encoder = load_encoder(tiny_base(tmp_path / "base"), 0.2)
    rates = [module.p for module in encoder.modules() if isinstance(module, nn.Dropout | PooledDropout)]
    assert set(rates) <= {0.0, 0.2}
    assert rates.count(0.2) >= 5


def test_a_base_whose_dropout_is_written_as_an_integer_gets_the_one_that_was_asked_for(tmp_path):
    base = tiny_base(tmp_path / "base")
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config["hidden_dropout_prob"] = 0
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    rates = [module.p for module in load_encoder(base, 0.2).modules() if isinstance(module, nn.Dropout | PooledDropout)]
    assert rates.count(0.2) >= 5


def test_pooled_dropout_drops_the_share_that_was_asked_for_and_only_in_training():
    layer = PooledDropout(0.25, make_pool(0.25))
    x = torch.ones(400, 300)
    y = layer(x)
    assert np.unique(y.numpy()).tolist() == pytest.approx([0.0, 1 / 0.75])
    assert float((y == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert not torch.equal(y, layer(x))
    assert torch.equal(layer.eval()(x), x)
