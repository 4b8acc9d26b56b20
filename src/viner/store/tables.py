"""The tables, the same in SQLite and PostgreSQL. A change here needs a migration beside it in ``migrations/versions``.

What never changes about a document (text, words, meta) lies apart in ``contents``, so that saving an entity of a document of
five megabytes does not rewrite its text. JSON stands in text columns; the database never looks into it.

Other rooms read these tables within :meth:`Store.transaction <viner.store.store.Store.transaction>`. They may write the columns
that no counter depends on (``uncertainty``, ``sampled_*`` and the table ``leases``); everything else goes through
:class:`~viner.store.transaction.Transaction`, which keeps counters and events true.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""Numbers that a table gives to its rows; SQLite numbers only INTEGER columns by itself."""


LARGEST = 2**63 - 1
"""The largest number that a column can hold."""


def _document(*, primary_key: bool = False) -> Column[int]:
    document = ForeignKey("documents.number", ondelete="CASCADE")
    return Column("document", NUMBER, document, primary_key=primary_key, autoincrement=False, nullable=False)


documents = Table(
    "documents",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("group_name", Text, nullable=False),
    Column("split", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("labels", Text),  # JSON {layer: [class]}; NULL = nobody gave any
    Column("random_key", Integer, nullable=False),
    Column("uncertainty", Float),
    Column("suggested_by", Text),
    Column("sampled_by", Text),
    Column("sampled_model", Text),
    Column("sampled_score", Float),
    Column("annotator", Text),
    Column("updated", Text, nullable=False),
    Index(None, "split", "status", "number"),
    Index(None, "split", "status", "random_key"),
    Index(None, "split", "status", "uncertainty"),
    Index("ix_documents_flagged", "number", sqlite_where=text("flagged = 1"), postgresql_where=text("flagged")),
)

contents = Table(
    "contents",
    metadata,
    _document(primary_key=True),
    Column("text", Text, nullable=False),
    Column("words", Text),  # JSON [start, end, start, end, …]; NULL = the splitter's
    Column("meta", Text, nullable=False),
    Column("tags", Text),
    Column("relations", Text),
    Column("entity_order", Text),  # JSON [id]; NULL = the order of the text
)

entities = Table(
    "entities",
    metadata,
    _document(primary_key=True),
    Column("id", Text, primary_key=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("score", Float),
    Column("source", Text),
    Index(None, "label", "state", "document"),
    Index(None, "id"),
    sqlite_with_rowid=False,  # the entities of a document lie together
)

comments = Table(
    "comments",
    metadata,
    Column("number", NUMBER, primary_key=True),
    _document(),
    Column("id", Text, nullable=False),
    Column("entity", Text),
    Column("who", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("document", "id"),
)

events = Table(
    "events",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("operation", Text, nullable=False, unique=True),
    Column("who", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("undoes", Text, index=True),
    Column("documents", Integer, nullable=False),  # how many it changed
    Column("fingerprint", Text),  # SHA-256 of the operation, so that an id is not used for two
    Column("answer", Text),  # JSON of Saved
    Column("before", Text),  # JSON of what is changed beside documents: {"schema": …}
    Column("after", Text),
)

changes = Table(
    "changes",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("event", NUMBER, ForeignKey("events.number", ondelete="CASCADE"), nullable=False, index=True),
    _document(),
    Column("version", Integer, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    UniqueConstraint("document", "event"),
)

leases = Table(
    "leases",
    metadata,
    _document(primary_key=True),
    Column("who", Text, nullable=False),
    Column("tab", Text, nullable=False),
    Column("until", Float, nullable=False),  # seconds since 1970
    Index(None, "who"),
    Index(None, "until"),
)

groups = Table(
    "groups",
    metadata,
    Column("name", Text, primary_key=True),
    Column("split", Text, nullable=False),
    sqlite_with_rowid=False,
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password", Text, nullable=False),  # scrypt$n$r$p$salt$hash
    Column("epoch", Integer, nullable=False),
    Column("created", Text, nullable=False),
)

settings = Table("settings", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

schemas = Table(
    "schemas",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("body", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)
