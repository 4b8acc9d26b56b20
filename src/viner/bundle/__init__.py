"""The model folder: read, write, check, versions."""
