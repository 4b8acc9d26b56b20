"""The store: a project's documents with all that was ever done to them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from viner.document import Document
from viner.project import Project
from viner.schema import Schema
from viner.store import adding, backup, erasing, exporting, history, reading, restoring, saving, undoing
from viner.store.accounts import Accounts
from viner.store.database import Database
from viner.store.errors import StoreLockedError, StoreReadOnlyError
from viner.store.following import LabelsSince
from viner.store.operation import Operation
from viner.store.preferences import read_setting, write_setting
from viner.store.records import AddReport, Counts, Event, Filter, Page, Saved, StoredDocument
from viner.store.splits import Shares
from viner.store.transaction import Transaction, read_schema
from viner.store.values import Split
from viner.store.versions import migrate
from viner.store.vocabulary import NewLabels


class Store:
    """A store. Thread-safe; every method is one transaction, and what it returned is on the disk.

    Use :meth:`open` or :meth:`of_project`, and close it, or use it as a context.

    Args:
        database: A database of the current version.
        shares: Parts of the document groups for dev and test.
    """

    def __init__(self, database: Database, shares: Shares) -> None:
        self.database = database
        self.accounts = Accounts(database)
        self._shares = shares

    @classmethod
    def open(cls, url: str | Path, *, create: bool = True, schema: Schema | None = None, shares: Shares | None = None) -> Store:
        """Opens a store, and brings an older database to the current version.

        Args:
            url: Path of a SQLite file, ``sqlite:///…`` or ``postgresql://…``.
            create: Make a SQLite file where there is none, or an empty one.
            schema: The schema of a store that has none yet.
            shares: Parts of the document groups for dev and test; a tenth each by default.

        Raises:
            StoreError: If the database cannot be opened, is damaged, or was written by a later viner.
        """
        database = Database(url, create=create)
        try:
            migrate(database, create=create)
            store = cls(database, shares or Shares())
            if store.schema()[1] == 0:
                with store.transaction(exclusive=True) as transaction:
                    if transaction.schema()[1] == 0:
                        transaction.write_schema(schema or Schema(()), who="viner")
            with contextlib.suppress(StoreLockedError, StoreReadOnlyError):  # then the next one does it
                erasing.scrub(database, patience=0)
        except BaseException:
            database.close()
            raise
        return store

    @classmethod
    def of_project(cls, project: Project, *, create: bool = True) -> Store:
        """The store of a project: where its settings say, with its schema and shares.

        Raises:
            StoreError: If the database cannot be opened.
            InputError: If ``viner.toml`` cannot be read.
        """
        settings = project.settings()
        shares = Shares(settings.annotation.dev, settings.annotation.test)
        return cls.open(settings.database_url, create=create, schema=project.schema(), shares=shares)

    def close(self) -> None:
        """Closes all connections."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[Transaction]:
        """A transaction for other rooms; :mod:`viner.store.transaction` says how it is used.

        Args:
            exclusive: Keep other writers out: for what changes many documents, or the schema.
        """
        with self.database.writing(exclusive=exclusive) as connection:
            transaction = Transaction(connection)
            yield transaction
            transaction.flush()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Any]:
        """A connection of SQLAlchemy that reads one consistent state of :mod:`viner.store.tables`; for other rooms."""
        with self.database.reading() as connection:
            yield connection

    def add(
        self,
        documents: Iterable[Document],
        *,
        who: str,
        split: Split | None = None,
        as_suggestions: bool = False,
        on_duplicate: adding.OnDuplicate = "refuse",
        new_labels: NewLabels = "refuse",
        progress: Callable[[int], None] | None = None,
    ) -> AddReport:
        """Imports documents: all, or none where one cannot be taken. Streams, in constant memory.

        SQLite keeps other writers waiting until the end; they give up after some seconds and can try again.

        Args:
            documents: Documents with ids. Those with entities are done, or started where ``meta["viner:reviewed"]`` says so.
            who: Who imports.
            split: Where documents of new groups go; None draws by group.
            as_suggestions: Take entities as suggestions, which somebody is to look through.
            on_duplicate: What to do with an id that is there already. "update" takes over entities, labels and
                suggestions as one undoable change, and the meta; the text must be the same.
            new_labels: "add" puts labels that the schema does not know into it.
            progress: Told how many documents were taken in since it was told last.

        Raises:
            InputError: If a document cannot be taken in; ``where`` names it.
        """
        with self.transaction(exclusive=True) as transaction:
            job = adding.Adding(
                transaction,
                who=who,
                shares=self._shares,
                split=split,
                as_suggestions=as_suggestions,
                on_duplicate=on_duplicate,
                new_labels=new_labels,
            )
            return job.run(documents, progress)

    def get(self, id: str) -> StoredDocument:  # noqa: A002  (the field's word)
        """One document with everything about it.

        Raises:
            UnknownDocumentError: If there is none of that id.
        """
        with self.database.reading() as connection:
            return reading.read_document(connection, id)

    def save(self, operation: Operation, *, who: str) -> Saved:
        """Saves one step of an annotator. Sent again, it is not done again, and the first answer comes back.

        Raises:
            UnknownDocumentError: If there is no such document.
            StaleSchemaError: If it was made under another schema.
            StaleVersionError: If it was made on another version of the document; ``current`` has the one that is.
            RefusedError: If it is not true of the document; ``where`` names the field.
        """
        with self.transaction() as transaction:
            return saving.save(transaction, operation, who=who)

    def undo(self, operation_id: str, *, new_id: str, who: str, labels_since: LabelsSince | None = None) -> Saved:
        """Takes back an operation, on one document or many; taking back an undo does it again.

        Args:
            operation_id: The operation to take back.
            new_id: Id of this operation.
            who: Who does it.
            labels_since: What follows labels that the schema has no more, such as
                :func:`viner.annotation.label_map.followers_since`; None follows none.

        Raises:
            ConflictError: If something it changed was changed since; ``conflicts`` says what and by whom.
            UnknownOperationError: If there is no such operation.
            RefusedError: If it is undone already, or cannot be, or what is to come back has a label that nothing follows.
        """
        with self.transaction(exclusive=True) as transaction:
            return undoing.undo(transaction, operation_id, new_id=new_id, who=who, labels_since=labels_since)

    def restore(
        self,
        id: str,  # noqa: A002
        version: int,
        *,
        operation: str,
        who: str,
        labels_since: LabelsSince | None = None,
    ) -> Saved:
        """Gives a document back the annotations it had at a version, under the labels of today, as a new version.

        Args:
            id: The document.
            version: The version.
            operation: Id of this operation.
            who: Who does it.
            labels_since: As for :meth:`undo`.

        Raises:
            UnknownDocumentError: If there is no such document.
            RefusedError: If it never had that version, or had labels then that nothing in the schema follows.
        """
        with self.transaction() as transaction:
            return restoring.restore(transaction, id, version, operation=operation, who=who, labels_since=labels_since)

    def history(
        self,
        id: str,  # noqa: A002
        *,
        who: str | None = None,
        limit: int = 200,
        before: int | None = None,
    ) -> list[Event]:
        """The events of a document, newest first.

        Args:
            id: The document.
            who: Only events of this annotator.
            limit: At most so many.
            before: Only events of a smaller number, for the following page.

        Raises:
            UnknownDocumentError: If there is no such document.
        """
        with self.database.reading() as connection:
            return history.read_history(connection, id, who=who, limit=limit, before=before)

    def find(self, filter: Filter, *, after: int | None = None, limit: int = 50) -> Page:  # noqa: A002
        """Some lines of the list of documents that a filter lets through, in the order of import.

        Args:
            filter: Which documents.
            after: ``next`` of the page before.
            limit: At most so many lines.
        """
        with self.database.reading() as connection:
            return reading.find(connection, filter, after=after, limit=limit)

    def counts(self) -> Counts:
        """How much there is; takes the same time however much that is."""
        with self.database.reading() as connection:
            return reading.read_counts(connection)

    def export(self, filter: Filter | None = None) -> Iterator[Document]:  # noqa: A002
        """Yields documents in the order of import, in constant memory, all as of the moment of the first.

        Relations of entities that are gone are left out. Exhaust or close the iterator: it holds a connection.
        """
        with self.database.reading() as connection:
            yield from exporting.export(connection, filter or Filter())

    def check_known(self, ids: Iterable[str]) -> None:
        """Raises an UnknownDocumentError if there is no document of one of the ids."""
        with self.database.reading() as connection:
            erasing.check_known(connection, ids)

    def erase(self, ids: Iterable[str], *, who: str) -> int:
        """Erases documents for good: text, annotations, comments, events, leases, and their traces in the database's files.

        What remains is an event that says who, when and how many. PostgreSQL's own log and backups are its administrator's.

        Returns:
            How many were erased.

        Raises:
            UnknownDocumentError: If there is no document of one of the ids; nothing was erased then.
            StoreLockedError: If traces remain, since others were reading all the time, such as a long export. The documents are
                erased then; the next call, or the next :meth:`open`, removes the traces.
        """
        with self.transaction(exclusive=True) as transaction:
            erased = erasing.erase(transaction, ids, who=who)
        erasing.scrub(self.database)
        return erased

    def schema(self) -> tuple[Schema, int]:
        """The current schema and its version."""
        with self.database.reading() as connection:
            return read_schema(connection)

    def setting(self, key: str) -> Any:
        """A small value that was set before; None where there is none."""
        with self.database.reading() as connection:
            return read_setting(connection, key)

    def set_setting(self, key: str, value: Any) -> None:
        """Remembers a small JSON value; None forgets it."""
        with self.transaction() as transaction:
            write_setting(transaction.connection, key, value)

    def backup(self, target: Path) -> None:
        """Writes everything to a new SQLite file, as of one moment, while others go on writing. It is one of PostgreSQL, too.

        Raises:
            StoreError: If there is something at the target, or it cannot be written.
        """
        backup.backup(self.database, target)

    @staticmethod
    def restore_backup(source: Path, url: str | Path) -> None:
        """Puts a backup into an empty place: a path with no file, or an empty PostgreSQL database.

        Raises:
            StoreError: If the source is no backup, or the place is not empty.
        """
        backup.restore(source, url)
