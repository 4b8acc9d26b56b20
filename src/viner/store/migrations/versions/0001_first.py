"""Version 0001: the first tables. A copy of their definitions as they were then; it never changes."""

from __future__ import annotations

from alembic import op
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

revision = "0001"
down_revision = None

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _document(*, primary_key: bool = False) -> Column[int]:
    document = ForeignKey("documents.number", ondelete="CASCADE")
    return Column("document", NUMBER, document, primary_key=primary_key, autoincrement=False, nullable=False)


Table(
    "documents",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("group_name", Text, nullable=False),
    Column("split", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("labels", Text),
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

Table(
    "contents",
    metadata,
    _document(primary_key=True),
    Column("text", Text, nullable=False),
    Column("words", Text),
    Column("meta", Text, nullable=False),
    Column("tags", Text),
    Column("relations", Text),
    Column("entity_order", Text),
)

Table(
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
    sqlite_with_rowid=False,
)

Table(
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

Table(
    "events",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("operation", Text, nullable=False, unique=True),
    Column("who", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("undoes", Text, index=True),
    Column("documents", Integer, nullable=False),
    Column("fingerprint", Text),
    Column("answer", Text),
    Column("before", Text),
    Column("after", Text),
)

Table(
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

Table(
    "leases",
    metadata,
    _document(primary_key=True),
    Column("who", Text, nullable=False),
    Column("tab", Text, nullable=False),
    Column("until", Float, nullable=False),
    Index(None, "who"),
    Index(None, "until"),
)

Table(
    "groups",
    metadata,
    Column("name", Text, primary_key=True),
    Column("split", Text, nullable=False),
    sqlite_with_rowid=False,
)

Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("created", Text, nullable=False),
)

Table("settings", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

Table(
    "schemas",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("body", Text, nullable=False),
)

Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
)


def upgrade() -> None:
    """Makes the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)
