"""One file a version of the database; released ones are never changed."""
