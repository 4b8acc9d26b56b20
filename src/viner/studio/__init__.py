"""A project at work: its store, the recognizer in service, its training runs and model versions."""
