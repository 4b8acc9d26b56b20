"""A trained model as an ONNX graph: stock operators, float32, any batch and any length.

The graph answers one layer: ``input_ids`` and ``attention_mask`` (int64, (batch, pieces)) in, one output named after the layer
(float32, (batch, pieces, tags)) out. It is compared with the model before it is handed out.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viner.bundle.graph_files import data_of
from viner.encoding import position_limit
from viner.errors import MissingExtraError, TrainingError, VinerError
from viner.training.graph_file import SMALL, fits, move_graph, save_graph
from viner.training.shapes import settle_shapes

if TYPE_CHECKING:
    from transformers import PreTrainedModel

INPUTS = ("input_ids", "attention_mask")
TOLERANCE = 1e-3
"""Largest difference of a logit to the model's. Float32 in another order gives about 1e-5; a wrong graph gives 0.1 and more."""
_OPSET = 20
"""The first with Gelu as one operator; LayerNormalization has been one since 17."""
# Encoders whose attention adds the mask as it is. They get it ready-made, one row a text; from a mask of 0 and 1 they would
# build a whole matrix for each text, with thirty operators.
_ADDITIVE = {"bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "electra", "distilbert"}
_EXPORTED = _ADDITIVE | {"deberta", "deberta-v2", "mpnet", "modernbert"}
"""Architectures of which models have been exported and compared: they are not tried before a training."""
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")


def export_onnx(model: PreTrainedModel, path: str | Path, layer: str = "entities") -> None:
    """Writes a token-classification model as ONNX.

    Args:
        model: A stock ``AutoModelForTokenClassification`` in float32. It is exported in evaluation mode and left as it was,
            except for its attention implementation, which becomes "eager": the same numbers from plain matrix products.
        path: The file to write; it appears whole or not at all.
        layer: Name of the output.

    Raises:
        TrainingError: If the model cannot be exported, or the graph's logits differ from the model's.
        MissingExtraError: If torch or onnx is missing.
    """
    try:
        import onnx  # noqa: F401  the exporter needs it, and says so only halfway
        import torch
    except ImportError:
        raise MissingExtraError("exporting a model", "train") from None
    path = Path(path)
    was_training = model.training
    model.eval()
    model.set_attn_implementation("eager")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as scratch:
            raw, clean = (Path(scratch) / step / path.name for step in ("raw", "clean"))
            for graph in (raw, clean):
                graph.parent.mkdir()  # the exporter may put a file for each weight beside its graph
            with torch.no_grad(), warnings.catch_warnings():
                # The tracer warns of every Python branch; _check tells whether one mattered.
                warnings.simplefilter("ignore")
                torch.onnx.export(
                    _logits_module(model),
                    _example(model, batch=2, pieces=7),
                    str(raw),
                    input_names=list(INPUTS),
                    output_names=[layer],
                    dynamic_axes={name: {0: "batch", 1: "pieces"} for name in (*INPUTS, layer)},
                    opset_version=_OPSET,
                    dynamo=False,
                )
            _simplify(raw, clean)
            _check(model, clean)
            move_graph(clean, path)
    except VinerError:
        raise
    except Exception as error:  # whatever the architecture's own code, the exporter and ONNX Runtime raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TrainingError(
            f"a {model.config.model_type} model cannot be exported to ONNX ({reason})",
            hint="Its weights are fine; take another base for a recognizer",
        ) from error
    finally:
        model.train(was_training)


def check_export(encoder: PreTrainedModel) -> None:
    """Finds out before a training whether a model of this architecture can be exported: a small one of random weights is.

    Args:
        encoder: The base. Architectures that are known to be exported are not tried.

    Raises:
        TrainingError: If it cannot.
    """
    import torch
    from transformers import AutoModelForTokenClassification

    from viner.training.model import quiet

    if encoder.config.model_type in _EXPORTED:
        return
    with quiet(), torch.random.fork_rng(devices=()):  # a training draws what it would have drawn without
        try:
            config = type(encoder.config).from_dict(_shrunken(encoder.config.to_dict()))
            model = AutoModelForTokenClassification.from_config(config, dtype=torch.float32)
        except Exception:  # it cannot be made smaller in this way; then it is found out at the end
            return
        with tempfile.TemporaryDirectory(prefix="viner-export-") as folder:
            export_onnx(model, Path(folder) / "model.onnx")


def _shrunken(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration of one layer, with as few pieces as its own special ones allow."""
    layers = next((config[name] for name in _LAYERS if isinstance(config.get(name), int)), None)
    # What says something of each layer says it of one now.
    small = {
        key: value[:1] if isinstance(value, list) and layers is not None and len(value) == layers else value
        for key, value in config.items()
    }
    small |= {name: 1 for name in _LAYERS if isinstance(config.get(name), int)}
    special = [value for key, value in config.items() if key.endswith("_token_id") and isinstance(value, int)]
    pieces = max([*special, 0]) + 200
    return {**small, "vocab_size": min(pieces, config["vocab_size"])} if isinstance(config.get("vocab_size"), int) else small


def _logits_module(model: PreTrainedModel) -> Any:
    import torch

    additive = model.config.model_type in _ADDITIVE

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            if additive:
                hidden = 1.0 - attention_mask[:, None, None, :].to(torch.float32)
                attention_mask = hidden * torch.finfo(torch.float32).min
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    return Logits().eval()


def _example(model: PreTrainedModel, *, batch: int, pieces: int) -> tuple[Any, Any]:
    """Random pieces whose first text is padded to half of the batch's length; a lone text is not padded."""
    import torch

    random = torch.Generator().manual_seed(batch * 1009 + pieces)
    padding = int(model.config.pad_token_id or 0)
    ids = torch.randint(0, model.config.vocab_size, (batch, pieces), generator=random)
    ids[ids == padding] = (padding + 1) % model.config.vocab_size
    mask = torch.ones_like(ids)
    if batch > 1:
        ids[0, (pieces + 1) // 2 :] = padding
        mask[0, (pieces + 1) // 2 :] = 0
    return ids, mask


def _simplify(source: Path, target: Path) -> None:
    """Folds constants and shapes, drops identities and merges equal nodes. Only ONNX's own operators are left."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = os.fspath(target)
    options.log_severity_level = 3
    if not fits(sum(file.stat().st_size for file in source.parent.iterdir())):
        options.add_session_config_entry("session.optimized_model_external_initializers_file_name", data_of(target).name)
        options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", str(SMALL))
    onnxruntime.InferenceSession(os.fspath(source), options, providers=["CPUExecutionProvider"])
    model = onnx.load(target)
    settle_shapes(model.graph)
    save_graph(model, target)


def _check(model: PreTrainedModel, path: Path) -> None:
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(os.fspath(path), providers=["CPUExecutionProvider"])
    limit = min(position_limit(model.config.to_dict()), 160)
    for batch, pieces in ((1, 1), (2, 7), (3, min(33, limit)), (1, limit)):
        ids, mask = _example(model, batch=batch, pieces=pieces)
        with torch.no_grad():
            expected = model(input_ids=ids, attention_mask=mask).logits.numpy()
        (actual,) = session.run(None, dict(zip(INPUTS, (ids.numpy(), mask.numpy()), strict=True)))
        shown = mask.numpy().astype(bool)
        difference = float(np.abs(actual - expected)[shown].max())
        if not difference <= TOLERANCE * max(1.0, float(np.abs(expected[shown]).max())):
            raise TrainingError(
                f"the exported graph of this {model.config.model_type} model gives other logits (by {difference:.2g} for a"
                f" batch of {batch} × {pieces} pieces)",
                hint="The model's weights are fine; this architecture needs another base for a recognizer",
            )
