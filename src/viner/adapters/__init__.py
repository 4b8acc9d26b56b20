"""Adapters for those who have a pipeline already: spaCy and Presidio. Each needs the extra of its name."""
