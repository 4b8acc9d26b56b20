"""A project at work: the model in service, trainings in the background, versions."""

from viner.evaluation.comparison import Comparison
from viner.studio.run import Run
from viner.studio.run_records import RunError
from viner.studio.runs import Runs
from viner.studio.serving import NoModelError, ServingRecognizer
from viner.studio.studio import Studio
from viner.studio.versions import Version, Versions

__all__ = ["Comparison", "NoModelError", "Run", "RunError", "Runs", "ServingRecognizer", "Studio", "Version", "Versions"]
