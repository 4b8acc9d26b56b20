"""Which layers a smaller encoder keeps, and that they are those of the larger one."""

import re

import pytest
import torch

from support.bases import tiny_base
from viner.errors import TrainingError
from viner.training.layers import keep_layers, layers_above, layers_of, spread
from viner.training.model import check_stock, load_encoder

KINDS = ("bert", "roberta", "distilbert", "electra", "deberta-v2", "xlm-roberta", "camembert", "mpnet")


@pytest.mark.parametrize(
    ("count", "total", "kept"),
    [
        (6, 12, (1, 3, 5, 7, 9, 11)),
        (4, 12, (2, 5, 8, 11)),
        (5, 12, (1, 3, 6, 8, 11)),
        (1, 12, (11,)),
        (12, 12, tuple(range(12))),
        (3, 5, (0, 2, 4)),
    ],
)
def test_kept_layers_are_spread_and_the_last_is_one_of_them(count, total, kept):
    assert spread(count, total) == kept


@pytest.mark.parametrize("total", range(1, 26))
def test_as_many_layers_are_kept_as_were_asked_for(total):
    for count in range(1, total + 1):
        kept = spread(count, total)
        assert len(set(kept)) == count
        assert list(kept) == sorted(kept)
        assert kept[0] >= 0
        assert kept[-1] == total - 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_without_some_layers_computes_what_one_built_of_the_others_does(tmp_path, kind):
    whole = load_encoder(tiny_base(tmp_path / kind, kind, layers=4), 0.0).eval()
    weights = {name: tensor.clone() for name, tensor in whole.state_dict().items()}
    keep_layers(whole, (1, 3))
    check_stock(whole)
    built = load_encoder(tiny_base(tmp_path / "built", kind, layers=2), 0.0).eval()
    places = {"1": "0", "3": "1"}
    moved = {}
    for name, tensor in weights.items():
        layer = re.search(r"(?<=layer\.)\d+", name)
        if layer is None:
            moved[name] = tensor
        elif layer[0] in places:
            moved[name[: layer.start()] + places[layer[0]] + name[layer.end() :]] = tensor
    built.load_state_dict(moved)
    ids = torch.randint(5, 60, (2, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[0, 5:] = 0
    with torch.no_grad():
        ours, theirs = (model(input_ids=ids, attention_mask=mask).last_hidden_state for model in (whole, built))
    assert torch.equal(ours, theirs)
    assert whole.config.num_hidden_layers == len(layers_of(whole)) == 2


def test_layers_that_share_their_weights_cannot_be_left_out(tmp_path):
    encoder = load_encoder(tiny_base(tmp_path / "albert", "albert", layers=4), 0.0)
    with pytest.raises(TrainingError, match="no layer can be left out of an encoder of type 'albert'") as caught:
        keep_layers(encoder, (1, 3))
    assert "--base" in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_embeddings_lie_below_all_layers_and_nothing_above_the_last(tmp_path, kind):
    encoder = load_encoder(tiny_base(tmp_path / kind, kind, layers=3), 0.0)
    above = layers_above(encoder)
    assert above.keys() == {name for name, _ in encoder.named_parameters()}
    assert {above[name] for name in above if "embeddings" in name} == {3}
    for index in range(3):
        assert {above[name] for name in above if f"layer.{index}." in name} == {2 - index}


def test_layers_that_share_their_weights_stand_on_one_level(tmp_path):
    assert set(layers_above(load_encoder(tiny_base(tmp_path / "albert", "albert", layers=3), 0.0)).values()) == {0}
