import importlib.util
import logging

import onnxruntime
import pytest

from viner.errors import MissingExtraError, UsageError
from viner.runtime import Recognizer, provider
from viner.runtime.provider import choose_provider


@pytest.fixture(autouse=True)
def no_memory():
    provider._warn_of_idle_gpu.cache_clear()
    yield
    provider._warn_of_idle_gpu.cache_clear()


def test_onnx_runtime_unless_somebody_asks(monkeypatch, caplog):
    monkeypatch.delenv("VINER_PROVIDER", raising=False)
    monkeypatch.setattr(provider, "has_gpu", lambda: False)
    assert choose_provider() == "onnxruntime"
    assert caplog.text == ""


def test_the_argument_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("VINER_PROVIDER", "cuda")
    assert choose_provider("onnxruntime") == "onnxruntime"
    with pytest.raises(UsageError, match="GPU") as caught:
        choose_provider()
    assert caught.value.where == "VINER_PROVIDER"


def test_an_unknown_provider_is_named_with_the_known_ones(tiny_model):
    with pytest.raises(UsageError, match="unknown provider 'tensorrt'") as caught:
        Recognizer.load(tiny_model, provider="tensorrt")
    assert "openvino" in caught.value.hint


def test_openvino_without_the_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"viner\[openvino\]"):
        choose_provider("openvino")


@pytest.mark.parametrize(("providers", "way"), [([], "onnxruntime-gpu"), (["CUDAExecutionProvider"], "--provider cuda")])
def test_an_idle_gpu_is_told_once(monkeypatch, caplog, providers, way):
    monkeypatch.delenv("VINER_PROVIDER", raising=False)
    monkeypatch.setattr(provider, "has_gpu", lambda: True)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*providers, "CPUExecutionProvider"])
    with caplog.at_level(logging.WARNING, "viner"):
        assert choose_provider() == choose_provider() == "onnxruntime"
    assert caplog.text.count("has an NVIDIA GPU") == 1
    assert way in caplog.text


def test_a_gpu_whose_libraries_are_missing_is_an_error_and_no_slow_answer(monkeypatch, tiny_model):
    # What onnxruntime-gpu does without CUDA's libraries: a line on stderr, and a session that runs on the processor.
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    session = onnxruntime.InferenceSession

    def without_cuda(path, options, providers):
        return session(path, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", without_cuda)
    with pytest.raises(UsageError, match="cannot compute on the GPU") as caught:
        Recognizer.load(tiny_model, provider="cuda", engine="int8")
    assert "onnxruntime-gpu[cuda,cudnn]" in caught.value.hint


def test_a_gpu_that_onnx_runtime_can_use_gets_the_float32_graph(monkeypatch, tiny_model):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    asked = []
    session = onnxruntime.InferenceSession

    def open_session(path, options, providers):
        asked.append(providers)
        opened = session(path, options, providers=["CPUExecutionProvider"])
        opened.get_providers = lambda: providers
        return opened

    monkeypatch.setattr(onnxruntime, "InferenceSession", open_session)
    recognizer = Recognizer.load(tiny_model, provider="cuda", engine="int8")
    assert asked[0][0] == "CUDAExecutionProvider"
    assert recognizer.provider == "cuda"
