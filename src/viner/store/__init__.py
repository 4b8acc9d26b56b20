"""The store: documents, their annotations and every event that changed them, in SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from viner.store.errors import (
    ConflictError,
    RefusedError,
    StaleSchemaError,
    StaleVersionError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreMovedError,
    StoreNewerError,
    StoreReadOnlyError,
    StoreUnreachableError,
    UnknownDocumentError,
    UnknownOperationError,
)
from viner.store.operation import Comment, Operation, Put, StoredEntity
from viner.store.records import AddReport, Counts, Event, Filter, Page, Row, Sampled, Saved, StoredDocument
from viner.store.values import SPLITS, STATES, STATUSES

if TYPE_CHECKING:
    from viner.store.store import Store

__all__ = [
    "SPLITS",
    "STATES",
    "STATUSES",
    "AddReport",
    "Comment",
    "ConflictError",
    "Counts",
    "Event",
    "Filter",
    "Operation",
    "Page",
    "Put",
    "RefusedError",
    "Row",
    "Sampled",
    "Saved",
    "StaleSchemaError",
    "StaleVersionError",
    "Store",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreLockedError",
    "StoreMovedError",
    "StoreNewerError",
    "StoreReadOnlyError",
    "StoreUnreachableError",
    "StoredDocument",
    "StoredEntity",
    "UnknownDocumentError",
    "UnknownOperationError",
]


def __getattr__(name: str) -> Any:
    # SQLAlchemy takes a quarter of a second to import; whoever only handles records does not wait for it.
    if name == "Store":
        from viner.store.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
