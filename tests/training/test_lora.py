import sys

import pytest
import torch

from support.bases import tiny_base
from training.conftest import stop_at
from viner.errors import MissingExtraError, UsageError
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig, default_learning_rate
from viner.training.heads import EntityHead
from viner.training.lora import add_adapters, linear_layers, merge_adapters
from viner.training.model import MultiHeadModel, check_stock, load_encoder, to_stock
from viner.training.optimizer import make_optimizer

LORA = {"lora": 8, "head_multiplier": 12.0}
"""An encoder of random numbers that keeps them has little to adapt, so less is learned of the task than by all weights."""
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "norm_rel_ebd": "layer_norm"}
KINDS = {
    "bert": ({}, 12),
    "xlm-roberta": ({}, 12),
    "deberta-v2": (RELATIVE, 16),
    "electra": ({"embedding_size": 16}, 12),
    "distilbert": ({}, 12),
    "albert": ({"embedding_size": 16}, 6),
}


def run(trainer, folder):
    with TrainingFolder(folder) as entered:
        return trainer.run(entered)


def disturb(encoder):
    """Has the adapters say something, as they do not before they have learned."""
    for name, weight in encoder.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_adapters_of_any_architecture_begin_as_nothing_and_merge_into_the_same_answers(tmp_path, kind):
    config, count = KINDS[kind]
    encoder = load_encoder(tiny_base(tmp_path / "base", kind, **config), 0.1).eval()
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    read = {"input_ids": torch.arange(5, 17).unsqueeze(0), "attention_mask": torch.ones(1, 12, dtype=torch.long)}
    plain = encoder(**read).last_hidden_state
    assert len(linear_layers(encoder)) == count
    assert not any("embedding" in name for name in linear_layers(encoder))
    add_adapters(encoder, 4, 8.0, 0.1)
    encoder.eval()
    torch.testing.assert_close(encoder(**read).last_hidden_state, plain, rtol=0, atol=0)
    disturb(encoder)
    adapted = encoder(**read).last_hidden_state
    assert (adapted - plain).abs().max() > 0.01
    merge_adapters(encoder)
    check_stock(encoder)
    torch.testing.assert_close(encoder(**read).last_hidden_state, adapted, rtol=1e-4, atol=1e-4)
    changed = {name for name, tensor in encoder.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {f"{name}.weight" for name in linear_layers(encoder)}
    assert all(weight.requires_grad for weight in encoder.parameters())


def test_adapters_learn_and_leave_a_stock_model_whose_other_weights_are_those_of_the_base(trainer, base, tmp_path):
    made, events = trainer(**LORA)
    result = run(made, tmp_path / "t")
    assert result.scores.micro.f1 > 0.6
    stock = to_stock(result.model, result.head).base_model.state_dict()
    untouched = load_encoder(base, 0.0).state_dict()
    changed = {name for name, tensor in untouched.items() if not torch.equal(tensor, stock[name])}
    assert changed == {f"{name}.weight" for name in linear_layers(load_encoder(base, 0.0))}
    start = events[0]
    head = sum(weight.numel() for weight in result.head.parameters())
    # Two layers with four matrices of 32 × 32 and two of 32 × 64, each with A and B of rank 8.
    assert start["learning"] == head + 2 * 8 * (4 * (32 + 32) + 2 * (32 + 64))
    assert start["weights"] == start["learning"] + sum(weight.numel() for weight in load_encoder(base, 0.0).parameters())


def test_a_stopped_training_with_adapters_goes_on_to_the_same_weights_and_keeps_little(trainer, tmp_path):
    made, _ = trainer(**LORA)
    stop_at(made, "step", 3)
    with pytest.raises(KeyboardInterrupt):
        run(made, tmp_path / "t")
    saved = torch.load(tmp_path / "t" / "checkpoint.pt", weights_only=True)
    assert all("lora_" in name or name.startswith("heads.") for name in saved["best"])
    again, events = trainer(**LORA)
    resumed = run(again, tmp_path / "t")
    assert [event["epoch"] for event in events if event["event"] == "resume"] == [2]
    whole = run(trainer(**LORA)[0], tmp_path / "whole").model.state_dict()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in resumed.model.state_dict().items())


def test_weights_of_another_model_are_refused(base):
    encoder = load_encoder(base, 0.0)
    model = MultiHeadModel(encoder, [EntityHead("entities", ["A"], 32, 0.0)])
    add_adapters(encoder, 4, 8.0, 0.0)
    weights = model.learned()
    model.relearn(weights)
    weights.pop(next(iter(weights)))
    with pytest.raises(RuntimeError, match="Missing key"):
        model.relearn(weights)


def test_adapters_have_four_times_the_rate_and_heads_their_own(trainer, base):
    made, _ = trainer(lora=4, learning_rate=None)
    assert made._default_rate() == pytest.approx(4 * default_learning_rate(32))
    encoder = load_encoder(base, 0.0)
    model = MultiHeadModel(encoder, [EntityHead("entities", ["A"], 32, 0.0)])
    full = make_optimizer(model, 1e-4, TrainingConfig(layer_decay=1.0))
    add_adapters(encoder, 4, 8.0, 0.0)
    narrow = make_optimizer(model, 4e-4, TrainingConfig(lora=4))
    assert sorted({group["peak"] for group in full.param_groups}) == pytest.approx([1e-4, 2e-3])
    assert sorted({group["peak"] for group in narrow.param_groups}) == pytest.approx([4e-4, 2e-3])
    assert sum(len(group["params"]) for group in narrow.param_groups) == 2 * 12 + 2


def test_adapters_that_are_as_wide_as_the_encoder_are_refused(trainer):
    with pytest.raises(UsageError, match="rank 32 are not narrower than this encoder, whose width is 32"):
        trainer(lora=32)


def test_without_peft_the_extra_is_named(trainer, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'viner\[lora\]'"):
        trainer(lora=4)


@pytest.mark.parametrize("choice", [{"lora": 0}, {"lora_alpha": 0.0}, {"lora_dropout": 1.0}])
def test_choices_that_cannot_be_are_named(choice):
    with pytest.raises(UsageError, match=next(iter(choice))):
        TrainingConfig(**choice)
