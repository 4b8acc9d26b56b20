"""What the log of a training says about how far it is."""

from __future__ import annotations

import pytest

from viner.studio.course import PREPARING, PROMOTING, Course


def stage(name):
    return {"event": "stage", "name": name, "time": 0.0}


def step(number, time):
    return {"event": "step", "epoch": 1, "epochs": 10, "step": number, "steps": 10, "loss": 1.0, "time": time}


START = {"event": "start", "epochs": 10, "time": 10.0}
TRAINED = [stage(PREPARING), START, step(1, 10.0), step(5, 50.0)]


def test_a_training_says_what_it_does_before_its_first_step():
    assert Course.of([]).stage is None
    assert Course.of([stage(PREPARING)]).stage == PREPARING
    assert Course.of([stage(PREPARING)]).progress == 0
    assert Course.of(TRAINED).stage == "Training"


def test_a_resumed_training_reads_again_and_is_as_far_as_it_was():
    assert Course.of([*TRAINED, stage(PREPARING)]).stage == PREPARING
    assert Course.of([*TRAINED, stage(PREPARING)]).progress == Course.of(TRAINED).progress > 0


def test_what_comes_after_the_epochs_goes_on_to_the_end():
    names = ("Exporting to ONNX", "Comparing int8 with float32", "Evaluating", PROMOTING)
    shares = [Course.of([*TRAINED, stage(name)]).progress for name in names]
    assert shares == sorted(shares)
    assert 0.9 <= shares[0] < shares[-1] < 1


def test_the_time_left_is_that_of_the_limit_where_that_ends_the_training_first():
    by_speed = Course.of(TRAINED).seconds_left
    assert by_speed == pytest.approx(1000 / 0.9 - 50 - 100 / 18, rel=0.01)
    assert Course.of(TRAINED, minutes=1000).seconds_left == by_speed
    finishing = 1000 / 9
    assert Course.of(TRAINED, minutes=2).seconds_left == pytest.approx(120 - 40 + finishing, rel=0.01)
    earlier = {"event": "epoch", "epoch": 1, "seconds": 60.0, "dev": {"f1": 0.5}, "time": 5.0}
    again = [START, earlier, {"event": "resume", "time": 9.0}, step(1, 10.0), step(5, 50.0)]
    assert Course.of(again, minutes=2).seconds_left == pytest.approx(120 - 40 - 60 + finishing, rel=0.01)
