"""A model folder with the bundled base's real tokenizer around a network of one thin layer.

For benchmarks of what surrounds the network: reading, splitting, pieces, windows, writing. Its answers mean nothing, but a
tenth of the words or so are entities, as in real text.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForTokenClassification
from transformers.utils import logging

from viner.base import unpack
from viner.bundle import BundleInfo, BundleWriter, Canaries, Head, Windows, processor
from viner.runtime import Recognizer
from viner.schema import ENTITIES, Schema
from viner.training.export import export_onnx
from viner.workflow.quantize import quantize_rows

LABELS = ("PERSON", "LOCATION", "ORGANIZATION", "DATE")


def small_bundle(folder: Path) -> Path:
    """Writes the model folder and returns it."""
    logging.disable_progress_bar()
    base = unpack()
    head = Head.softmax_bio(ENTITIES, LABELS)
    config = AutoConfig.from_pretrained(base)
    config.update({"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4})
    config.id2label = dict(enumerate(head.tags))
    config.label2id = {tag: index for index, tag in enumerate(head.tags)}
    torch.manual_seed(1)
    model = AutoModelForTokenClassification.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        model.base_model.embeddings.word_embeddings.weight.normal_()
        model.classifier.weight.normal_(0, 0.35)
        model.classifier.bias[0] = 4.5
    info = BundleInfo(
        schema=Schema.of_entities(LABELS),
        heads=(head,),
        windows=Windows(pieces=256, overlap=64),
        engine="int8",
        evidence={"reason": "a model for benchmarks"},
        base={"name": "random weights"},
    )
    with BundleWriter(folder) as writer:
        target = writer.folder
        model.save_pretrained(target)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(base / name, target / name)
        export_onnx(model, target / "model.onnx")
        quantize_rows(target / "model.onnx", target / "model.onnx", compact=True)
        recognizer = Recognizer.from_graph(info, target, target / "model.onnx")
        answers = tuple(recognizer.stream(["Bệnh nhân 91 là phi công người Anh.", "A nurse in Hanoi tested positive."]))
        (target / "canaries.json").write_text(Canaries(processor(), answers).to_json(), encoding="utf-8")
        (target / "README.md").write_text("# A model for benchmarks; its answers mean nothing\n", encoding="utf-8")
        writer.finish(info)
    return folder
