"""What can go wrong with a store, each with a stable code.

The codes of a save: ``unknown_document``, ``unknown_operation``, ``stale_version``, ``stale_schema``, ``refused``,
``conflict``. The codes of the place where the data lies: ``store_locked`` and ``store_full`` (try again; nothing was
changed), ``store_readonly``, ``store_moved``, ``store_damaged``, ``store_newer``, ``store_unreachable``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.errors import VinerError

if TYPE_CHECKING:
    from viner.store.records import StoredDocument


class StoreError(VinerError):
    """The database cannot do what was asked; nothing was changed."""

    code = "store"


class StoreLockedError(StoreError):
    """Another program holds the database for longer than we wait. Trying again is safe."""

    code = "store_locked"


class StoreDeadlockError(StoreLockedError):
    """Two transactions waited for each other, and this one was ended so that the other can go on. Trying again is safe."""


class StoreFullError(StoreError):
    """There is no space left. What was acknowledged before is there; this change is not."""

    code = "store_full"


class StoreReadOnlyError(StoreError):
    """The database or its folder cannot be written."""

    code = "store_readonly"


class StoreMovedError(StoreError):
    """The database file is no longer where it was opened."""

    code = "store_moved"


class StoreDamagedError(StoreError):
    """The file is no database, or a damaged one."""

    code = "store_damaged"


class StoreNewerError(StoreError):
    """The database was written by a later version of viner."""

    code = "store_newer"


class StoreUnreachableError(StoreError):
    """The database server does not answer, or does not let us in."""

    code = "store_unreachable"


class UnknownDocumentError(VinerError):
    """The store has no document of that id."""

    code = "unknown_document"

    def __init__(self, document: str) -> None:
        super().__init__("there is no document of that id", where=document, hint="It may have been erased")
        self.document = document


class UnknownOperationError(VinerError):
    """The store knows no operation of that id."""

    code = "unknown_operation"

    def __init__(self, operation: str) -> None:
        super().__init__("there is no such operation", where=operation, hint="Its documents may have been erased")
        self.operation = operation


class RefusedError(VinerError):
    """A change that would not be true of the document, or of the schema; ``where`` names the field, such as ``put[0].end``."""

    code = "refused"


class StaleVersionError(VinerError):
    """The change was made on a version of the document that is no longer the current one.

    Args:
        current: The document as it is now.
    """

    code = "stale_version"

    def __init__(self, current: StoredDocument, version: int) -> None:
        super().__init__(
            f"the change was made on version {version}, and the document is at {current.version} now",
            where=current.id,
            hint="Make the change again on the current version",
        )
        self.current = current


class StaleSchemaError(VinerError):
    """The change was made under a schema that is no longer the current one.

    Args:
        version: Version of the current schema.
        current: The document as it is now.
    """

    code = "stale_schema"

    def __init__(self, version: int, made_on: int, current: StoredDocument) -> None:
        super().__init__(
            f"the change was made under schema {made_on}, and the project is at {version} now",
            where=current.id,
            hint="Load the labels again",
        )
        self.version = version
        self.current = current


class ConflictError(VinerError):
    """Undoing would overwrite a later change.

    Args:
        conflicts: What stands in the way: ``{"document", "what": "entity" | "labels" | "status" | "flagged" | "comment", "id",
            "operation", "who", "at"}``; the last three name the later change and are None where it left no event.
    """

    code = "conflict"

    def __init__(self, conflicts: list[dict[str, Any]], *, where: str | Path | None = None) -> None:
        first = conflicts[0]
        name = first["what"] if first["id"] is None else f"{first['what']} {first['id']}"
        by = "" if first["who"] is None else f" by {first['who']}"
        super().__init__(
            f"{name} was changed later{by}" + (f" (and {len(conflicts) - 1} more)" if len(conflicts) > 1 else ""),
            where=where,
            hint="Undo the later change first",
        )
        self.conflicts = conflicts
