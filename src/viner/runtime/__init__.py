"""The engine of recognition: ONNX Runtime, without torch or transformers."""

from viner.runtime.engine import Engine
from viner.runtime.recognizer import Recognizer

__all__ = ["Engine", "Recognizer"]
