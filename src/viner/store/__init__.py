"""The store: documents, their annotations and every event that changed them, in SQLite or PostgreSQL."""
