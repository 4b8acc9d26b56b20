"""The queue: which document an annotator gets next, so that no two get the same."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Column, Connection, select, update

from viner.annotation import leases
from viner.annotation.suggest.refresh import refresh
from viner.annotation.suggest.suggester import Suggester
from viner.errors import VinerError, outline
from viner.project import AnnotationSettings
from viner.store import SPLITS, StoredDocument, UnknownDocumentError
from viner.store.errors import StoreDeadlockError
from viner.store.tables import documents
from viner.store.tables import leases as lease_rows

if TYPE_CHECKING:
    from viner.store import Store

WAITING = ("todo", "started")
"""Documents of these statuses are served."""
GIVEN, RANDOM, UNCERTAIN, CHOSEN = "given", "random", "uncertain", "chosen"
"""How a document came to be served, as ``sampled_by`` says. "chosen": a person opened it from a list."""

T = TypeVar("T")

_ATTEMPTS = 20
_PATIENCE = 4.0  # seconds for which a document waits for its suggestions
_MOST_SUGGESTING = 8
_log = logging.getLogger("viner")


class Queue:
    """Serves documents. Safe to call from several threads, and beside other processes.

    * **given** serves in the order of import, **random** in random order, **uncertain** what the model is least sure of first.
      **mix** draws each time: a share of ``random_share`` random, the rest uncertain. What no model has ranked yet comes after
      what one has, in random order.
    * Documents of dev and test come in random order only, whatever the setting is, for they are to stand for all texts. While
      both kinds wait, one is served with the probability ``evaluation_share``.
    * Random order is that of the random numbers that documents got at import. These are independent of everything else, so each
      document that waits is as likely as any other to be the next one (a search from a random point on would favor some), and
      what was served so far is a uniform sample of all documents at any time.
    * A document that was begun and left waits as others do, once its lease has expired.

    Each lookup reads one stretch of an index; nothing is counted or skipped, so it does not matter how many documents there are
    or how many are done.

    Args:
        store: The store.
        settings: Order, shares and length of leases.
        suggester: What suggests at the moment; None suggests nothing.
        chance: Where chance comes from.

    Attributes:
        suggester: What suggests at the moment. Put another one here when model, rules or schema have changed.
        lease_seconds: How long a lease lasts.
    """

    def __init__(
        self,
        store: Store,
        settings: AnnotationSettings,
        suggester: Suggester | None = None,
        *,
        chance: random.Random | None = None,
    ) -> None:
        self.suggester = suggester
        self.lease_seconds = settings.lease_minutes * 60
        self._store = store
        self._settings = settings
        self._chance = chance or random.SystemRandom()
        self._suggesting = threading.Semaphore(_MOST_SUGGESTING)

    def next(
        self,
        who: str,
        tab: str,
        *,
        resume: bool = False,
        exclude: Sequence[str] = (),
        splits: Sequence[str] | None = None,
    ) -> StoredDocument | None:
        """Leases a document to an annotator, with suggestions that are up to date.

        Args:
            who: The annotator.
            tab: Their tab.
            resume: Give them back an unfinished document that they had last, if there is one and nobody else has it: of this
                tab before other tabs.
            exclude: Ids of documents not to give.
            splits: Only documents of these splits.

        Returns:
            The document as it stands in the store now; None where nothing waits that nobody has.
        """
        for _ in range(_ATTEMPTS):
            row, had = _again(lambda: self._try(who, tab, resume, exclude, splits))
            if row is None:
                return None
            if had:
                return self._served(row.number, row.id)
        return None

    def _try(
        self, who: str, tab: str, resume: bool, exclude: Sequence[str], splits: Sequence[str] | None
    ) -> tuple[Any | None, bool]:
        """A document to serve, and whether its lease could be had; somebody may be faster."""
        with self._store.transaction() as transaction:
            connection = transaction.connection
            leases.drop_finished(connection, who)
            row = self._last(connection, who, tab, exclude, splits) if resume else None
            order = None
            if row is None:
                row, order = self._draw(connection, exclude, splits, patient=False)
            if row is None:
                row, order = self._draw(connection, exclude, splits, patient=True)
            if row is None:
                return None, False
            until = time.time() + self.lease_seconds
            if not leases.take(connection, row.number, who, tab, until=until, own=order is None):
                return row, False
            if order is not None:
                _note(connection, row, order)
            return row, True

    def lease(self, id: str, who: str, tab: str) -> float:  # noqa: A002  (the field's word)
        """Leases a document that an annotator opened by themselves.

        Returns:
            Until when, in seconds since 1970.

        Raises:
            UnknownDocumentError: If there is no such document.
            LeasedError: If somebody else has it.
        """
        return self._hold(id, who, tab, chosen=True)

    def renew(self, id: str, who: str, tab: str) -> float:  # noqa: A002
        """Prolongs a lease. One that has expired comes to life again, unless somebody else has the document by now.

        Returns:
            Until when, in seconds since 1970.

        Raises:
            UnknownDocumentError: If there is no such document.
            LeasedError: If somebody else has it.
        """
        return self._hold(id, who, tab, chosen=False)

    def release(self, id: str, who: str, tab: str | None = None) -> None:  # noqa: A002
        """Ends an annotator's lease of a document, if they have one.

        Args:
            id: The document.
            who: The annotator.
            tab: Only if it is this one's: another tab of theirs may have the document open, too.
        """
        with self._store.transaction() as transaction:
            number = transaction.connection.execute(select(documents.c.number).where(documents.c.id == id)).scalar_one_or_none()
            if number is not None:
                leases.drop(transaction.connection, number, who, tab)

    def _hold(self, id: str, who: str, tab: str, *, chosen: bool) -> float:  # noqa: A002
        number, until = _again(lambda: self._take(id, who, tab, chosen=chosen))
        if chosen:
            self._refresh(number)
        return until

    def _take(self, id: str, who: str, tab: str, *, chosen: bool) -> tuple[int, float]:  # noqa: A002
        with self._store.transaction() as transaction:
            connection = transaction.connection
            # First the document, then its lease, as in `next`: otherwise two would wait for each other.
            row = connection.execute(select(documents).where(documents.c.id == id).with_for_update()).one_or_none()
            if row is None:
                raise UnknownDocumentError(id)
            had = leases.holder(connection, row.number) == who
            until = time.time() + self.lease_seconds
            if not leases.take(connection, row.number, who, tab, until=until, own=True):
                raise leases.LeasedError(id, leases.holder(connection, row.number) or "somebody else")
            if chosen and not had:
                _note(connection, row, CHOSEN)
        return row.number, until

    def _served(self, number: int, id: str) -> StoredDocument:  # noqa: A002
        self._refresh(number)
        return self._store.get(id)

    def _refresh(self, number: int) -> None:
        """Brings suggestions up to date. Neither a broken model nor one that hangs keeps people from working."""
        suggester = self.suggester
        if suggester is None or suggester.idle:
            return
        if not self._suggesting.acquire(blocking=False):
            _log.warning("no suggestions: %d documents are waiting for theirs already", _MOST_SUGGESTING)
            return

        def work() -> None:
            try:
                refresh(self._store, number, suggester)
            except VinerError as error:
                _log.warning("no suggestions: %s", error)
            except Exception as error:
                _log.error("no suggestions: %s", outline(error))
            finally:
                self._suggesting.release()

        # A thread that nobody waits for when the program ends.
        thread = threading.Thread(target=work, name="suggestions", daemon=True)
        thread.start()
        thread.join(_PATIENCE)
        if thread.is_alive():
            _log.warning("no suggestions yet: the document is served without them after %g s", _PATIENCE)

    def _last(
        self, connection: Connection, who: str, tab: str, exclude: Sequence[str], splits: Sequence[str] | None
    ) -> Any | None:
        statement = (
            select(documents)
            .join(lease_rows, lease_rows.c.document == documents.c.number)
            .where(
                lease_rows.c.who == who,
                documents.c.status.in_(WAITING),
                documents.c.split.in_(splits or SPLITS),
                documents.c.id.not_in(exclude),
            )
            .order_by((lease_rows.c.tab == tab).desc(), lease_rows.c.until.desc())
            .limit(1)
        )
        return connection.execute(statement).one_or_none()

    def _draw(
        self, connection: Connection, exclude: Sequence[str], splits: Sequence[str] | None, *, patient: bool
    ) -> tuple[Any | None, str | None]:
        """The next document, and by which order it came."""
        asked = [split for split in SPLITS if splits is None or split in splits]
        evaluation = [(RANDOM, [split for split in asked if split != "train"])]
        training = [(order, [split for split in asked if split == "train"]) for order in self._orders()]
        first = self._chance.random() < self._settings.evaluation_share
        for order, among in evaluation + training if first else training + evaluation:
            row = self._head(connection, order, among, exclude, patient)
            if row is not None:
                return row, order
        return None, None

    def _orders(self) -> Iterable[str]:
        """The orders to look into for training documents, one after the other until one has something."""
        order = self._settings.order
        if order == "mix":
            order = RANDOM if self._chance.random() < self._settings.random_share else UNCERTAIN
        return (UNCERTAIN, RANDOM) if order == UNCERTAIN else (order,)

    def _head(
        self, connection: Connection, order: str, splits: Sequence[str], exclude: Sequence[str], patient: bool
    ) -> Any | None:
        """The first document in an order that is free.

        On PostgreSQL, rows that another transaction is writing are passed over, or waited for by the patient.
        """
        column: Column[Any] = {GIVEN: documents.c.number, RANDOM: documents.c.random_key, UNCERTAIN: documents.c.uncertainty}[
            order
        ]
        free = leases.is_free(time.time())
        heads: list[Any] = []
        for split, status in itertools.product(splits, WAITING):
            statement = select(documents).where(documents.c.split == split, documents.c.status == status, free)
            if exclude:
                statement = statement.where(documents.c.id.not_in(exclude))
            if order == UNCERTAIN:
                statement = statement.where(column.is_not(None)).order_by(column.desc())
            else:
                statement = statement.order_by(column)
            statement = statement.limit(1).with_for_update(skip_locked=not patient, of=documents)
            heads += connection.execute(statement).all()
        if order == UNCERTAIN:
            return max(heads, key=lambda row: row.uncertainty, default=None)
        return min(heads, key=lambda row: getattr(row, column.name), default=None)


def _again(attempt: Callable[[], T]) -> T:
    """What a transaction gives. One that had to give way to another is done once more."""
    try:
        return attempt()
    except StoreDeadlockError:
        return attempt()


def _note(connection: Connection, row: Any, order: str) -> None:
    """Notes how a document came to be served, as long as nobody has begun it."""
    model = None
    if row.uncertainty is not None and (row.suggested_by or "").startswith("model "):
        model = row.suggested_by.rsplit(" ", 1)[0]
    connection.execute(
        update(documents)
        .where(documents.c.number == row.number, documents.c.status == "todo")
        .values(sampled_by=order, sampled_model=model, sampled_score=row.uncertainty)
    )
