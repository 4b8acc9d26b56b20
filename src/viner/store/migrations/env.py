"""Runs migrations on the connection that :func:`viner.store.versions.migrate` brings along."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
