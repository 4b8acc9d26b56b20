"""Suggestions: what a model, dictionaries and patterns propose, and in which order documents are worth a person's time."""
