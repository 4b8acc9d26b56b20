"""Which rate each weight of a model learns at."""

import pytest

from support.bases import LABELS, tiny_base
from viner.errors import UsageError
from viner.training.config import TrainingConfig, default_layer_decay
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel, load_encoder
from viner.training.optimizer import make_optimizer, set_rate


@pytest.fixture
def model(tmp_path):
    encoder = load_encoder(tiny_base(tmp_path / "base", layers=3), 0.0)
    return MultiHeadModel(encoder, [EntityHead("entities", LABELS, int(encoder.config.hidden_size), 0.0)])


def peaks(model, **choices):
    """Peak rate and weight decay of each weight by name."""
    groups = make_optimizer(model, 1e-3, TrainingConfig(**choices)).param_groups
    by_id = {id(weight): (group["peak"], group["weight_decay"]) for group in groups for weight in group["params"]}
    assert sum(len(group["params"]) for group in groups) == len(by_id)
    return {name: by_id[id(weight)] for name, weight in model.named_parameters()}


def test_each_layer_learns_more_slowly_than_the_one_above_it(model):
    found = peaks(model, layer_decay=0.5, head_multiplier=20.0, weight_decay=0.1)
    for name, (peak, decay) in found.items():
        wanted = 2e-2 if name.startswith("heads.") else 1.25e-4
        for index, rate in enumerate((2.5e-4, 5e-4, 1e-3)):
            wanted = rate if f"layer.{index}." in name else wanted
        assert peak == pytest.approx(wanted), name
        is_matrix = name.endswith("weight") and "LayerNorm" not in name
        assert decay == (0.1 if is_matrix else 0.0), name


def test_the_first_group_is_that_of_the_last_layer_whose_rate_is_told(model):
    for decay in (0.5, 1.0):
        for multiplier in (0.1, 1.0, 20.0):
            optimizer = make_optimizer(model, 1e-3, TrainingConfig(layer_decay=decay, head_multiplier=multiplier))
            set_rate(optimizer, 0.1, 0.1)
            assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3)


def test_embeddings_of_any_depth_get_the_same_share():
    for layers in (2, 6, 12, 24):
        assert default_layer_decay(layers) ** layers == pytest.approx(0.85**12)
    assert default_layer_decay(0) == 1.0


def test_without_a_choice_the_embeddings_learn_at_a_seventh(model):
    found = peaks(model)
    assert found["encoder.embeddings.word_embeddings.weight"][0] == pytest.approx(1e-3 * 0.85**12)


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.1])
def test_what_is_no_decay_is_refused(decay):
    with pytest.raises(UsageError, match="layer_decay"):
        TrainingConfig(layer_decay=decay)
