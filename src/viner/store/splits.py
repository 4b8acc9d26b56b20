"""Which documents are for training, and which for judging it: drawn by group, once and for all.

A document that is new goes, in this order,

1. where its group is, if the group is known;
2. where another document of the very same text is, be that in a group or not, and so does its group, if that is new;
3. where ``split=`` says, or else where the drawing puts it; an answer that somebody flagged as wrong goes to train, since
   those do not stand for all texts.

What 1 and 2 say is refused where ``split=`` says something else, and so is a text that stands by itself on one side and comes
in a known group of another. Two groups that were both known before may share a text: they are what the user calls groups.

The table ``groups`` holds a row of each group, and of each text: ``text:`` and a hash where a document stands by itself,
``also:`` and the hash where a group has it. Of a group whose documents are all erased it keeps ``gone:`` and a hash of its
name.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from viner.corpus import FEEDBACK
from viner.document import Document
from viner.errors import InputError, UsageError
from viner.store.preferences import read_setting, write_setting
from viner.store.tables import groups
from viner.store.transaction import Transaction, batches
from viner.store.values import Split

BLOCK = 20
"""Groups are drawn in blocks of this many, each with its fair part of dev and test."""

LONGEST_GROUP = 500
"""Code points in the name of a group; PostgreSQL cannot index much more."""

HASHED = "text:"
"""What the name of a group begins with that is one text, and that nobody named."""

_ALSO, _GONE = "also:", "gone:"


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
    return HASHED + _hash(document.text)


def is_hashed(group: str) -> bool:
    """Whether the group is one text, and nobody named it."""
    return group.startswith(HASHED)


def is_named(row: str) -> bool:
    """Whether a row of the table of groups is that of a group that somebody named."""
    return not row.startswith((HASHED, _ALSO, _GONE))


def shared_text(text: str) -> str:
    """The name under which the table of groups holds a text that a named group has."""
    return _ALSO + _hash(text)


def erased_group(name: str) -> str:
    """What the table of groups keeps of the name of a group that has no documents any more."""
    return _GONE + _hash(name)


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

    def __call__(self, some: Sequence[Document]) -> list[Split]:
        """The splits of some documents; new groups are drawn in the order given, and frozen.

        Raises:
            InputError: If a document belongs on two sides.
        """
        asked = [(document, group_of(document), _hash(document.text)) for document in some]
        known = self._known(
            name
            for _, group, text in asked
            for name in (group, HASHED + text, _ALSO + text, *([] if is_hashed(group) else [erased_group(group)]))
        )
        fresh: dict[str, Split] = {}
        splits = []
        for document, group, text in asked:
            alone, shared = known.get(HASHED + text), known.get(_ALSO + text)
            split = known.get(group) or known.get(erased_group(group))
            if split is None:
                split = alone or shared or self._fixed or ("train" if FEEDBACK in document.meta else self._draw())
            elif alone is not None and alone != split:
                raise InputError(
                    f"its group is in {split}, and a document of the same text in {alone} already",
                    where=document.id,
                    hint="Leave its group away, so that it goes where its text is",
                )
            if self._fixed is not None and split != self._fixed:
                raise InputError(
                    f"its group, or its text, is in {split} already, and is never split",
                    where=document.id,
                    hint=f"Import it without a split, or into {split}",
                )
            for name in (group, *([] if is_hashed(group) or alone or shared else [_ALSO + text])):
                if name not in known:
                    known[name] = fresh[name] = split
            splits.append(split)
        if fresh:
            self._connection.execute(insert(groups), [{"name": name, "split": split} for name, split in fresh.items()])
        return splits

    def finish(self) -> None:
        """Notes how far the drawing went."""
        write_setting(self._connection, "splits", {"seed": self._seed, "drawn": self._drawn})

    def _known(self, names: Iterable[str]) -> dict[str, Split]:
        known: dict[str, Split] = {}
        for some in batches(dict.fromkeys(names)):
            rows = self._connection.execute(select(groups.c.name, groups.c.split).where(groups.c.name.in_(some)))
            known.update((row.name, row.split) for row in rows)
        return known

    def _draw(self) -> Split:
        index, place = divmod(self._drawn, BLOCK)
        if self._block[0] != index:
            block = self._shares.block(index)
            random.Random(f"{self._seed}:{index}").shuffle(block)
            self._block = index, block
        self._drawn += 1
        return self._block[1][place]


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
