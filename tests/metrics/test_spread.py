import statistics

import pytest

from viner.metrics import Spread


def test_the_deviation_is_that_of_a_sample():
    values = [0.93, 0.94, 0.945]
    spread = Spread.of(values)
    assert (spread.mean, spread.deviation, spread.count) == (
        pytest.approx(statistics.mean(values)),
        pytest.approx(statistics.stdev(values)),
        3,
    )
    assert str(spread) == "0.9383 ± 0.0076"


def test_one_seed_has_no_deviation():
    assert Spread.of([0.5]).to_dict() == {"mean": 0.5, "deviation": None, "count": 1}
    assert str(Spread.of([0.5])) == "0.5000"


@pytest.mark.parametrize("value", [0.1, 0.8434343, 1 / 3, 0.9])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_equal_values_have_no_deviation_at_all(value, count):
    assert Spread.of([value] * count) == Spread(value, 0.0, count)
