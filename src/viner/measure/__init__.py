"""Measuring: what the machine can do, what recognition makes of it, and where the rest goes."""

from viner.measure.ceilings import Ceiling, int8_ceiling, measure_ceilings
from viner.measure.latency import Latency, measure_latency, single_sentences
from viner.measure.measurement import Measurement, Part, graph_of, measure_model
from viner.measure.operators import Profile, profile_graph
from viner.measure.report import to_text
from viner.measure.stages import Batch, Staged, StagedRecognizer

__all__ = [
    "Batch",
    "Ceiling",
    "Latency",
    "Measurement",
    "Part",
    "Profile",
    "Staged",
    "StagedRecognizer",
    "graph_of",
    "int8_ceiling",
    "measure_ceilings",
    "measure_latency",
    "measure_model",
    "profile_graph",
    "single_sentences",
    "to_text",
]
