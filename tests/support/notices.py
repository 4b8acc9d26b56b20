"""A project of notices, as the tests of containers publish it."""

TOML = """
name = "Notices"
language = "vi"

[[schema.layers]]
name = "entities"
kind = "entities"
types = ["PERSON", "LOCATION"]
"""
