"""Which documents are for training, and which for judging it: drawn by group, once and for all."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select

from viner.document import Document
from viner.errors import UsageError
from viner.store.preferences import read_setting, write_setting
from viner.store.records import Split
from viner.store.tables import groups
from viner.store.transaction import Transaction, batches

BLOCK = 20
"""Groups are drawn in blocks of this many, each with its fair part of dev and test."""

_HASHED = "text:"


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of the groups that are kept for dev and test; the rest is for training.

    Args:
        dev: In [0, 1].
        test: In [0, 1]; together at most 1.

    Raises:
        UsageError: If they are not.
    """

    dev: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        if not (self.dev >= 0 and self.test >= 0 and self.dev + self.test <= 1):
            raise UsageError("the shares of dev and test lie between 0 and 1, together too", where="annotation.dev")

    def block(self, index: int) -> list[Split]:
        """The splits of one block of groups, in a fixed order. Over many blocks the shares come out exactly."""
        shares: dict[Split, float] = {"dev": self.dev, "test": self.test}
        parts = {split: round(BLOCK * share * (index + 1)) - round(BLOCK * share * index) for split, share in shares.items()}
        parts["test"] = min(parts["test"], BLOCK - parts["dev"])
        parts["train"] = BLOCK - parts["dev"] - parts["test"]
        return [split for split, places in parts.items() for _ in range(places)]


def group_of(document: Document) -> str:
    """The group of a document: ``meta["group"]``, or else a hash of its text, so that twins never stand on both sides."""
    named = document.meta.get("group")
    if named is not None:
        return named if isinstance(named, str) else json.dumps(named, sort_keys=True, ensure_ascii=False)
    return _HASHED + hashlib.blake2b(document.text.encode(), digest_size=12).hexdigest()


def is_hashed(group: str) -> bool:
    """Whether the group is one text, and nobody named it."""
    return group.startswith(_HASHED)


class Splitter:
    """Knows the split of each group, and draws that of new ones in permuted blocks.

    Args:
        transaction: The transaction that new groups are written in; nobody else may draw meanwhile.
        shares: Parts of dev and test.
        fixed: Where new groups go; None draws.
    """

    def __init__(self, transaction: Transaction, shares: Shares, fixed: Split | None) -> None:
        self._connection = transaction.connection
        self._shares = shares
        self._fixed = fixed
        state = read_setting(self._connection, "splits") or {"seed": secrets.token_hex(8), "drawn": 0}
        self._seed: str = state["seed"]
        self._drawn: int = state["drawn"]
        self._block: tuple[int, list[Split]] = (-1, [])

    def __call__(self, names: Iterable[str]) -> dict[str, Split]:
        """The splits of some groups; new ones are drawn in the order given, and frozen."""
        ordered = list(dict.fromkeys(names))
        known: dict[str, Split] = {}
        for some in batches(ordered):
            rows = self._connection.execute(select(groups.c.name, groups.c.split).where(groups.c.name.in_(some)))
            known.update((row.name, row.split) for row in rows)
        fresh = {name: self._fixed or self._draw() for name in ordered if name not in known}
        if fresh:
            self._connection.execute(insert(groups), [{"name": name, "split": split} for name, split in fresh.items()])
        return known | fresh

    def finish(self) -> None:
        """Notes how far the drawing went."""
        write_setting(self._connection, "splits", {"seed": self._seed, "drawn": self._drawn})

    def _draw(self) -> Split:
        index, place = divmod(self._drawn, BLOCK)
        if self._block[0] != index:
            block = self._shares.block(index)
            random.Random(f"{self._seed}:{index}").shuffle(block)
            self._block = index, block
        self._drawn += 1
        return self._block[1][place]
