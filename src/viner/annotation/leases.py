"""Leases: who has which document on the page, and until when. A document has one at most; its primary key sees to that."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from viner.errors import VinerError
from viner.store.tables import documents, leases


class LeasedError(VinerError):
    """Somebody else has the document on the page.

    Args:
        document: Its id.
        held_by: Who has it.
    """

    code = "leased"

    def __init__(self, document: str, held_by: str) -> None:
        super().__init__(
            f"{held_by} is working on this document", where=document, hint="Take another one, or wait until it is free"
        )
        self.held_by = held_by


def is_free(now: float) -> ColumnElement[bool]:
    """Whether a row of ``documents`` has no lease, or an expired one.

    It is asked document by document, so that the database walks along an index of documents and stops at the first that is
    free, however many documents there are.
    """
    until = select(leases.c.until).where(leases.c.document == documents.c.number).scalar_subquery()
    return func.coalesce(until, 0.0) <= now


def take(connection: Connection, number: int, who: str, tab: str, *, until: float, own: bool = False) -> bool:
    """Leases a document, in one statement that no other writer can come between.

    Args:
        connection: Within a transaction that writes.
        number: The document's number.
        who: For whom.
        tab: Which of their tabs.
        until: When it expires, in seconds since 1970.
        own: Whether a lease that they have already will do; it goes over to this tab.

    Returns:
        Whether they have it now.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    allowed = leases.c.until <= time.time()
    if own:
        allowed |= leases.c.who == who
    statement: Any = dialect.insert(leases).values(document=number, who=who, tab=tab, until=until)
    statement = statement.on_conflict_do_update(
        index_elements=[leases.c.document],
        set_={"who": statement.excluded.who, "tab": statement.excluded.tab, "until": statement.excluded.until},
        where=allowed,
    ).returning(leases.c.document)
    return connection.execute(statement).scalar_one_or_none() is not None


def holder(connection: Connection, number: int) -> str | None:
    """Who has a document now."""
    return connection.execute(
        select(leases.c.who).where(leases.c.document == number, leases.c.until > time.time())
    ).scalar_one_or_none()


def held(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Those documents that somebody has now."""
    statement = select(leases.c.document).where(leases.c.document.in_(list(numbers)), leases.c.until > time.time())
    return set(connection.execute(statement).scalars())


def drop(connection: Connection, number: int, who: str, tab: str | None = None) -> None:
    """Ends somebody's lease of a document, only if it is this tab's where one is given; others' stay."""
    theirs = (leases.c.document == number) & (leases.c.who == who)
    connection.execute(delete(leases).where(theirs if tab is None else theirs & (leases.c.tab == tab)))


def drop_finished(connection: Connection, who: str) -> None:
    """Ends somebody's leases of documents that are finished."""
    finished = select(documents.c.number).where(
        documents.c.number == leases.c.document, documents.c.status.in_(("done", "skipped"))
    )
    connection.execute(delete(leases).where(leases.c.who == who, finished.exists()))
