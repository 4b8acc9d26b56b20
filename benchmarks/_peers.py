"""What viner's recognition is compared with: other ways to run the same weights, as people run them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, pipeline
from transformers.modeling_outputs import TokenClassifierOutput

from viner.training.export import export_onnx

BATCHES = (1, 8, 32, 64)
# Those of optimum's ORTQuantizer for dynamic quantization.
_QUANTIZED = ["MatMul", "Attention", "LSTM", "Gather", "Transpose", "EmbedLayerNormalization"]


@dataclass(frozen=True)
class Peer:
    """One way to recognize.

    Args:
        name: For people.
        run: Recognizes texts.
    """

    name: str
    run: Callable[[Sequence[str]], Any]


def documented_pipeline(folder: Path) -> Peer:
    """`transformers.pipeline` as its documentation calls it: float32, one text after the other."""
    pipe = _pipeline(folder, torch.float32)
    return Peer("pipeline as documented (fp32, one by one)", lambda texts: [pipe(text) for text in texts])


def pipelines(folder: Path) -> list[Peer]:
    """`transformers.pipeline` in fp32 and bf16, with each of :data:`BATCHES`, in reading order and sorted by length."""
    kinds = (("fp32", torch.float32), ("bf16", torch.bfloat16))
    return [peer for name, dtype in kinds for peer in _variants(_pipeline(folder, dtype), f"pipeline {name}")]


def int8_pipelines(folder: Path, scratch: Path) -> list[Peer]:
    """What optimum makes of the model: its pipeline over ONNX Runtime, dynamic int8, one scale a channel of the weights.

    optimum itself cannot be installed beside transformers 5, which viner needs. So this takes the steps that it takes: the
    exported graph, ``quantize_dynamic`` with its settings, `transformers.pipeline` with a session in the model's place.
    """
    exact, small = scratch / "exact.onnx", scratch / "int8.onnx"
    export_onnx(AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32), exact)
    with _quiet():  # the one advises to optimize the graph, which optimum does not; the other does not know the session
        quantize_dynamic(exact, small, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=_QUANTIZED)
        model = _SessionModel(AutoConfig.from_pretrained(folder))
        model.session = onnxruntime.InferenceSession(str(small), providers=["CPUExecutionProvider"])
        tokenizer = AutoTokenizer.from_pretrained(folder)
        pipe = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple", device="cpu")
    return list(_variants(pipe, "ONNX Runtime int8 pipeline"))


@contextmanager
def _quiet() -> Iterator[None]:
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _pipeline(folder: Path, dtype: torch.dtype) -> Any:
    return pipeline("token-classification", model=str(folder), dtype=dtype, aggregation_strategy="simple", device="cpu")


def _variants(pipe: Any, name: str) -> Iterator[Peer]:
    for batch in BATCHES:
        for order in ("reading order", "sorted"):
            yield Peer(f"{name}, batch {batch}, {order}", partial(_run, pipe, batch, order == "sorted"))


def _run(pipe: Any, batch: int, by_length: bool, texts: Sequence[str]) -> Any:
    return pipe(sorted(texts, key=len) if by_length else list(texts), batch_size=batch)


class _SessionModel(PreTrainedModel):
    """An ONNX Runtime session that answers where a pipeline expects a model."""

    session: onnxruntime.InferenceSession

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.place = torch.nn.Parameter(torch.zeros(1))  # a pipeline asks the weights where they are

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **ignored: Any) -> TokenClassifierOutput:
        inputs = {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
        return TokenClassifierOutput(logits=torch.from_numpy(self.session.run(None, inputs)[0]))
