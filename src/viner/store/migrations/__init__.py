"""Migrations of the database, from the first version on."""
