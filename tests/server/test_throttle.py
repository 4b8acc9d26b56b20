from __future__ import annotations

import pytest

from viner.server import throttle as module
from viner.server.throttle import Throttle, network_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def exhaust(throttle: Throttle, name: str, address: str, most: int = 1_000) -> int:
    for tries in range(most):
        if throttle.enter(name, address):
            return tries
    return most


def test_one_name_from_many_addresses_is_slowed_down(clock: Clock) -> None:
    throttle = Throttle(clock)
    for number in range(Throttle.BY_NAME.tries):
        assert throttle.enter("an", f"10.0.0.{number}") == 0
    assert throttle.enter("an", "10.0.1.1") == 6
    assert throttle.enter("binh", "10.0.1.1") == 0


def test_many_names_from_one_address_are_slowed_down(clock: Clock) -> None:
    throttle = Throttle(clock)
    for number in range(Throttle.BY_ADDRESS.tries):
        assert throttle.enter(f"name {number}", "10.0.0.1") == 0
    assert throttle.enter("another", "10.0.0.1") > 0
    assert throttle.enter("another", "10.0.0.2") == 0


def test_whoever_waits_as_told_may_try_again(clock: Clock) -> None:
    throttle = Throttle(clock)
    exhaust(throttle, "an", "10.0.0.1")
    clock.now += throttle.enter("an", "10.0.0.1")
    assert throttle.enter("an", "10.0.0.1") == 0
    assert throttle.enter("an", "10.0.0.1") > 0


def test_a_stranger_cannot_lock_out_who_logged_in_here_before(clock: Clock) -> None:
    throttle = Throttle(clock)
    assert throttle.enter("an", "10.0.0.1") == 0
    throttle.succeed("an", "10.0.0.1")
    for number in range(200):
        throttle.enter("an", f"10.6.6.{number}")
    assert throttle.enter("an", "10.6.6.201") > 0
    assert throttle.enter("an", "10.0.0.1") == 0


def test_nobody_is_locked_out_for_longer_than_seconds(clock: Clock) -> None:
    throttle = Throttle(clock)
    for number in range(10_000):
        throttle.enter("an", f"10.0.{number // 250}.{number % 250}")
    clock.now += 6
    assert throttle.enter("an", "172.16.0.1") == 0


def test_logging_in_costs_no_try(clock: Clock) -> None:
    throttle = Throttle(clock)
    for _ in range(500):
        assert throttle.enter("an", "10.0.0.1") == 0
        throttle.succeed("an", "10.0.0.1")


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_KEYS", 50)
    throttle = Throttle(clock)
    for number in range(500):
        throttle.enter(f"name {number}", f"10.0.{number // 250}.{number % 250}")
        throttle.succeed(f"other {number}", "10.9.9.9")
    assert len(throttle._names) == 50
    assert len(throttle._addresses) == 50
    assert len(throttle._homes) == 50


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::2", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_what_counts_as_one_place(address: str, network: str) -> None:
    assert network_of(address) == network
