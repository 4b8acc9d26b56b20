"""Dictionaries and patterns that find spans without a model."""
