"""What a log says about an exception: where it arose, viner's own steps on the way there, and nothing of its message."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import viner.languages
from viner.errors import outline
from viner.languages import Say

SECRET = "what stands in a document"


class Failing:
    def __init__(self, fail: Callable[[], object]) -> None:
        self._fail = fail

    def __format__(self, spec: str) -> str:
        return str(self._fail())


def failing() -> object:
    raise ValueError(SECRET)


def deep(steps: int) -> object:
    """Fails after that many steps of another package, which is the standard library here."""
    return failing() if steps == 0 else json.loads("{}", object_hook=lambda _: deep(steps - 1))


def outlined(fail: Callable[[], object]) -> list[str]:
    try:
        Say({"key": ("{value}", "{value}")}, "en")("key", value=Failing(fail))
    except ValueError as error:
        return outline(error).split(" < ")
    raise AssertionError("nothing failed")


def test_it_begins_with_the_type_and_the_place_and_quotes_nothing():
    kind, place, *_ = parts = outlined(failing)
    assert kind == "ValueError"
    assert re.fullmatch(rf"{re.escape(__file__)}:\d+ failing", place)
    assert not any(SECRET in part for part in parts)


def test_of_many_steps_those_at_its_place_and_those_of_viner_remain():
    parts = outlined(lambda: deep(40))
    assert parts.count("…") == 2  # before the step of viner, and after it
    (ours,) = (place for place, part in enumerate(parts) if part.startswith(str(Path(viner.languages.__file__))))
    assert parts[ours].endswith(" __call__")
    assert (ours, len(parts)) == (7, 9)


def test_a_short_way_is_told_whole():
    assert "…" not in outlined(failing)


def test_an_exception_that_was_never_raised_has_a_type_only():
    assert outline(ValueError(SECRET)) == "ValueError"
