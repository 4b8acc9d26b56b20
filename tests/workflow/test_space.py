from __future__ import annotations

import pytest

from viner.errors import UsageError
from viner.training.config import TrainingConfig
from viner.workflow.space import Dimension, Space, default_space

optuna = pytest.importorskip("optuna")


def test_the_default_space_holds_the_default_recipe():
    for rate in (4e-4, 1e-4, 6e-5):
        space = Space.parse(default_space(rate))
        defaults = space.defaults(rate)
        assert list(defaults) == [item.name for item in space.dimensions]
        assert defaults["learning_rate"] == rate
        assert defaults["dropout"] == TrainingConfig().dropout


def test_ranges_lists_and_single_values():
    space = Space.parse(
        ["learning_rate=1e-4..1e-3", "dropout=0..0.3", "epochs=4..16", "precision=bf16,fp32", "batch_pieces=512"]
    )
    drawn = space.distributions()
    assert drawn == {
        "learning_rate": optuna.distributions.FloatDistribution(1e-4, 1e-3, log=True),
        "dropout": optuna.distributions.FloatDistribution(0.0, 0.3),
        "epochs": optuna.distributions.IntDistribution(4, 16, log=True),
        "precision": optuna.distributions.CategoricalDistribution(("bf16", "fp32")),
    }
    assert space.fixed == {"batch_pieces": 512}
    assert space.to_dict()["dropout"] == "0..0.3"
    assert Space.parse(f"{name}={values}" for name, values in space.to_dict().items()) == space


def test_what_is_drawn_from_a_range_is_short_and_stays_within():
    rate = Dimension.parse("learning_rate=0.00012345..0.00098765")
    assert rate.value(0.000345678) == 0.000346
    assert rate.value(0.00012345) == 0.00012345
    assert rate.value(0.00098765) == 0.00098765
    assert Dimension.parse("epochs=2..9").value(7) == 7


def test_a_default_outside_of_the_space_is_left_to_chance():
    space = Space.parse(["dropout=0.2..0.3", "warmup=0.05,0.1", "epochs=4,8"])
    assert space.defaults(4e-4) == {"warmup": 0.1}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["dropout"], "'dropout' is no space"),
        (["dropout="], "is no space"),
        (["speed=1..2"], "there is no choice 'speed'"),
        (["seed=1,2,3"], "the seed is luck"),
        (["dropout=0.3..0.1"], "does not go from a lower to a higher"),
        (["dropout=0..1.5"], "dropout must be at least 0 and less than 1"),
        (["precision=bf16..fp32"], "it has no range"),
        (["epochs=none..4"], "does not go from"),
        (["dropout=0.1,much"], "dropout must be a number"),
        (["dropout=0..0.1", "dropout=0.2,0.3"], "dropout is given twice"),
        (["dropout=0.1"], "nothing to search"),
        (["dropout=0.1,0.1"], "nothing to search"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_reason(texts, message):
    with pytest.raises(UsageError, match=message) as caught:
        Space.parse(texts)
    assert caught.value.where == "--space"
