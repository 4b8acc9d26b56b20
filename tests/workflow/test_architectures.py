"""Architectures and tokenizers that people bring: some steps of training, export, int8, recognition with exact offsets.

BERT with WordPiece is what the other tests train (test_train.py), RoBERTa with PhoBERT's BPE what those of segments do.
"""

import io

import numpy as np
import pytest

from support.bases import PLACES, tiny_base, toy_documents
from viner.bundle import read_bundle
from viner.formats import write
from viner.runtime import Recognizer
from viner.training.model import load_encoder
from viner.workflow import Report, choose, train_model

CHOICES = {"epochs": 1, "learning_rate": 3e-3, "head_multiplier": 3.0, "precision": "fp32"}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "norm_rel_ebd": "layer_norm"}
ENCODERS = {
    "RoBERTa": ("roberta", "BPE", {}),
    "XLM-R": ("xlm-roberta", "Unigram", {}),
    "ViDeBERTa": ("deberta-v2", "Unigram", RELATIVE),
    "ELECTRA": ("electra", "WordPiece", {"embedding_size": 16}),
    "DistilBERT": ("distilbert", None, {}),
}


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    path = tmp_path_factory.mktemp("toys") / "train.jsonl"
    write(toy_documents(40, 1), path)
    return path


@pytest.mark.parametrize("name", ENCODERS)
def test_from_base_to_recognition(tmp_path, toys, monkeypatch, name):
    monkeypatch.setattr(choose, "SENTENCES", 5)
    monkeypatch.setattr(choose, "_CANARIES", 2)
    monkeypatch.setattr(choose, "_CALIBRATION", 2)
    kind, tokenizer, config = ENCODERS[name]
    base = tiny_base(tmp_path / "base", kind, layers=1, tokenizer=tokenizer, **config)
    path = train_model(train=toys, dev=toys, out=tmp_path / "m", base=base, report=Report(io.StringIO()), **CHOICES)
    before, after = (load_encoder(folder, 0.0).state_dict() for folder in (base, path))
    assert all(np.isfinite(after[weight].numpy()).all() for weight in before)
    assert any((before[weight] != after[weight]).any() for weight in before)
    assert (path / "model.onnx").is_file()
    assert read_bundle(path).info.segmenter is None
    text = "Lan  gặp Minh ở\u00a0Huế,\r\nrồi về (Đà Nẵng) 😷."
    document = Recognizer.load(path)(text)
    surfaces = [text[start:end] for start, end in document.words]
    assert surfaces == ["Lan", "gặp", "Minh", "ở", "Huế", ",", "rồi", "về", "(", *PLACES[2].split(), ")", "😷", "."]
    assert all(entity.text == text[entity.start : entity.end] for entity in document.entities)
