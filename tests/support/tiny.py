"""A model folder for tests: built in a second, offline, and predictable.

``tiny_bundle(folder)`` writes a whole bundle around a BERT of 2 layers, 32 wide, whose weights are set by hand so that these
words are entities wherever they stand, and nothing else is:

    Lan, Nam, Minh    PERSON            Nguyễn Văn A    PERSON, one entity of three words
    Huế, Paris        LOCATION          Hà Nội          LOCATION, one entity of two words

Attention is on, weakly: scores depend on the context, as they do in trained models. Pieces are single characters otherwise
(``##`` WordPiece), so any word has pieces and long words have many. It reads 64 pieces at once.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from support.tiny_tokenizers import tiny_tokenizer
from viner.bundle import Bundle, BundleInfo, BundleWriter, Head, Windows, read_bundle
from viner.bundle.info import CASCADE, EXACT
from viner.schema import ENTITIES, Schema

LABELS = ("PERSON", "LOCATION")
TAGS = {"O": 0, "B-PERSON": 1, "I-PERSON": 2, "B-LOCATION": 3, "I-LOCATION": 4}
WORDS = {
    "Lan": "B-PERSON",
    "Nam": "B-PERSON",
    "Minh": "B-PERSON",
    "Nguyễn": "B-PERSON",
    "Văn": "I-PERSON",
    "A": "I-PERSON",
    "Huế": "B-LOCATION",
    "Paris": "B-LOCATION",
    "Hà": "B-LOCATION",
    "Nội": "I-LOCATION",
}
POSITIONS = 64
_TEXTS = ("Lan ở Hà Nội.", "Nguyễn Văn A từ Huế đến Paris", "không có gì", "Minh, Nam và Lan; Hà Nội!")


def tiny_bundle(folder: Path, *, engine: str = "int8", processor_name: str | None = None, tokenizer: str = "WordPiece") -> Path:
    """Writes the model folder and returns it.

    Args:
        folder: The folder to be; it must not exist, or be empty.
        engine: The graph that ``model.onnx`` holds: "int8" or "fp32".
        processor_name: The processor named in the canaries; None takes this machine's.
        tokenizer: The kind of tokenizer: "WordPiece", "Unigram", "BPE" (of bytes) or "PhoBERT".
    """
    source = _built(engine, tokenizer)
    if processor_name is None:
        shutil.copytree(source.path, folder, dirs_exist_ok=True)
        return folder
    with BundleWriter(folder) as writer:
        shutil.copytree(source.path, writer.folder, dirs_exist_ok=True)
        (writer.folder / "canaries.json").write_text(
            replace(source.canaries(), processor=processor_name).to_json(), encoding="utf-8"
        )
        writer.finish(source.info)
    return folder


def tiny_cascade(folder: Path) -> Path:
    """Writes a model folder of the same weights that holds both graphs and runs a cascade of them; returns it."""
    small, exact = _built("int8", "WordPiece"), _built("fp32", "WordPiece")
    with BundleWriter(folder) as writer:
        shutil.copytree(small.path, writer.folder, dirs_exist_ok=True)
        shutil.copyfile(exact.graph, writer.folder / EXACT)
        writer.finish(replace(small.info, engine=CASCADE))
    return folder


@cache
def _built(engine: str, kind: str) -> Bundle:
    from transformers import PreTrainedTokenizerFast

    from viner.runtime import Recognizer
    from viner.training.export import export_onnx
    from viner.workflow.packing import pack_file
    from viner.workflow.quantize import quantize_rows

    pieces, names, known = tiny_tokenizer(kind, WORDS)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces, model_max_length=POSITIONS, **names)
    model = _model(pieces.get_vocab(), known, pieces.token_to_id(names["pad_token"]))
    target = Path(tempfile.mkdtemp(prefix="viner-tiny-")) / engine
    info = BundleInfo(
        schema=Schema.of_entities(LABELS),
        heads=(Head.softmax_bio(ENTITIES, LABELS),),
        windows=Windows(pieces=POSITIONS, overlap=16),
        engine=engine,
        evidence={"reason": "a tiny model for tests"},
        base={"name": "tiny"},
    )
    with BundleWriter(target) as writer:
        folder = writer.folder
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        export_onnx(model, folder / "model.onnx")
        if engine == "int8":
            quantize_rows(folder / "model.onnx", folder / "model.onnx", compact=True)
        else:
            pack_file(folder / "model.onnx")
        recognizer = Recognizer.from_graph(info, folder, folder / "model.onnx")
        (folder / "canaries.json").write_text(recognizer.canaries(_TEXTS).to_json(), encoding="utf-8")
        (folder / "README.md").write_text("# A tiny model for tests\n", encoding="utf-8")
        writer.finish(info)
    return read_bundle(target)


def _model(vocabulary: dict[str, int], known: dict[str, str], pad: int):
    import torch
    from transformers import BertConfig, BertForTokenClassification

    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        pad_token_id=pad,
        id2label={index: tag for tag, index in TAGS.items()},
        label2id=TAGS,
    )
    torch.manual_seed(0)
    model = BertForTokenClassification(config).eval()
    with torch.no_grad():
        # Each piece points along the axis of its tag; layers add a little of their neighbors; the head reads the axes.
        table = model.bert.embeddings.word_embeddings.weight
        table.normal_(0, 0.1)
        for piece, index in vocabulary.items():
            table[index, TAGS[WORDS[known[piece]] if piece in known else "O"]] += 3.0
        for layer in model.bert.encoder.layer:
            layer.attention.self.query.weight.normal_(0, 0.3)
            layer.attention.self.key.weight.normal_(0, 0.3)
            layer.attention.self.value.weight.normal_(0, 0.05)
        model.classifier.weight.zero_()
        model.classifier.weight[:, : len(TAGS)] = torch.eye(len(TAGS)) * 0.6
    return model
