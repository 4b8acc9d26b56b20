"""The engines of recognition, without torch or transformers: ONNX Runtime, and OpenVINO where it is asked for."""

from viner.runtime.engine import Engine, OnnxEngine
from viner.runtime.provider import PROVIDERS
from viner.runtime.recognizer import Recognizer

__all__ = ["PROVIDERS", "Engine", "OnnxEngine", "Recognizer"]
