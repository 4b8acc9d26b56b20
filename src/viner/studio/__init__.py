"""A project at work: the model in service, trainings in the background, versions."""

from viner.studio.run import Run
from viner.studio.serving import NoModelError, ServingRecognizer

__all__ = ["NoModelError", "Run", "ServingRecognizer"]
