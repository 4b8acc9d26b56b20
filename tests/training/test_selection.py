"""Which epoch is kept."""

from viner.metrics import EntityTally
from viner.training.selection import BestOnDev


def scored(right):
    tally = EntityTally()
    for number in range(4):
        gold = (number, number + 1, "PERSON")
        tally.add([gold], [gold] if number < right else [])
    return tally.scores()


def test_the_first_of_the_best_is_kept_and_of_those_that_find_nothing_the_last():
    kept, best = [], -1.0
    for epoch, right in enumerate([0, 0, 1, 0, 2, 2, 1], 1):
        if BestOnDev().keeps(scored(right), best):
            kept.append(epoch)
            best = scored(right).micro.f1
    assert kept == [1, 2, 3, 5]
