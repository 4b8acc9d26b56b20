"""Recognizers as components of other people's systems: spaCy and Presidio."""
