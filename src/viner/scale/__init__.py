"""Recognition beyond one machine: on a Ray cluster (:class:`RayRecognizer`), and in Spark (``viner.scale.spark``).

Ray Data places, retries and restarts; viner cuts the stream into chunks, keeps its order, and knows the model.
"""

from viner.scale.errors import ClusterError
from viner.scale.recognizer import RayRecognizer

__all__ = ["ClusterError", "RayRecognizer"]
