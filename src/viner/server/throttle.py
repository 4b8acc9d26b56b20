"""How often somebody may try to log in."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

_MOST_KEYS = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of tries that fills up again.

    Args:
        tries: Tries that are there at first.
        seconds: Time until one more is there.
    """

    tries: int
    seconds: float


class Buckets:
    """One bucket for each key, in bounded memory: full buckets are forgotten, then those that were asked least recently.

    Args:
        rate: Size and filling of a bucket.
        clock: Seconds from anywhere.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._spent: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # key: tries spent, at that time

    def __len__(self) -> int:
        return len(self._spent)

    def wait(self, key: Hashable) -> float:
        """Seconds until a try is there; 0 when there is one."""
        return max(0.0, (self._now_spent(key) - (self._rate.tries - 1)) * self._rate.seconds)

    def spend(self, key: Hashable) -> None:
        """Takes a try."""
        self._set(key, self._now_spent(key) + 1)

    def give_back(self, key: Hashable) -> None:
        """Puts a try back."""
        self._set(key, self._now_spent(key) - 1)

    def _now_spent(self, key: Hashable) -> float:
        spent, at = self._spent.get(key, (0.0, 0.0))
        return max(0.0, spent - (self._clock() - at) / self._rate.seconds)

    def _set(self, key: Hashable, spent: float) -> None:
        if spent <= 0:
            self._spent.pop(key, None)
            return
        self._spent[key] = spent, self._clock()
        self._spent.move_to_end(key)
        while len(self._spent) > _MOST_KEYS:
            self._spent.popitem(last=False)


class Throttle:
    """Slows down who guesses passwords, one name from many addresses or many names from one.

    Nobody is locked out: the next try is always there within seconds. A person who logged in from an address before keeps tries
    of their own there, which a stranger who guesses at the same name from elsewhere cannot use up.

    Args:
        clock: Seconds from anywhere; a test has its own.
    """

    BY_NAME = Rate(tries=8, seconds=6.0)
    BY_ADDRESS = Rate(tries=30, seconds=2.0)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._names = Buckets(self.BY_NAME, clock)
        self._addresses = Buckets(self.BY_ADDRESS, clock)
        self._homes: OrderedDict[tuple[str, str], None] = OrderedDict()

    def enter(self, name: str, address: str) -> int:
        """Takes a try before the password is looked at.

        Returns:
            0 when it may be looked at, else the whole seconds to wait.
        """
        network = network_of(address)
        with self._lock:
            key = self._key(name, network)
            wait = max(self._names.wait(key), self._addresses.wait(network))
            if wait > 0:
                return math.ceil(wait)
            self._names.spend(key)
            self._addresses.spend(network)
            return 0

    def succeed(self, name: str, address: str) -> None:
        """The password was right: the try does not count, and the address is known from now on."""
        network = network_of(address)
        with self._lock:
            self._names.give_back(self._key(name, network))
            self._addresses.give_back(network)
            self._homes[name, network] = None
            self._homes.move_to_end((name, network))
            while len(self._homes) > _MOST_KEYS:
                self._homes.popitem(last=False)

    def _key(self, name: str, network: str) -> Hashable:
        return (name, network) if (name, network) in self._homes else name


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 address, which one customer has to themselves."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped) if ip.ipv4_mapped else str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
