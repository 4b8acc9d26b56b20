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

from viner.bundle import Bundle, BundleInfo, BundleWriter, Head, Windows, read_bundle
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


def tiny_bundle(folder: Path, *, engine: str = "int8", processor_name: str | None = None) -> Path:
    """Writes the model folder and returns it.

    Args:
        folder: The folder to be; it must not exist, or be empty.
        engine: The graph that ``model.onnx`` holds: "int8" or "fp32".
        processor_name: The processor named in the canaries; None takes this machine's.
    """
    source = _built(engine)
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


@cache
def _built(engine: str) -> Bundle:
    from viner.runtime import Recognizer
    from viner.training.export import export_onnx
    from viner.workflow.quantize import quantize_rows

    model, tokenizer = _model(), _tokenizer()
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
            quantize_rows(folder / "model.onnx", folder / "model.onnx")
        recognizer = Recognizer.from_graph(info, folder, folder / "model.onnx")
        (folder / "canaries.json").write_text(recognizer.canaries(_TEXTS).to_json(), encoding="utf-8")
        (folder / "README.md").write_text("# A tiny model for tests\n", encoding="utf-8")
        writer.finish(info)
    return read_bundle(target)


def _vocabulary() -> dict[str, int]:
    vietnamese = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
    characters = [*map(chr, range(33, 127)), *vietnamese]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *characters, *("##" + letter for letter in characters)]
    return {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}


def _tokenizer():
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    vocabulary = _vocabulary()
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=POSITIONS, **names)


def _model():
    import torch
    from transformers import BertConfig, BertForTokenClassification

    vocabulary = _vocabulary()
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
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
            table[index, TAGS[WORDS.get(piece, "O")]] += 3.0
        for layer in model.bert.encoder.layer:
            layer.attention.self.query.weight.normal_(0, 0.3)
            layer.attention.self.key.weight.normal_(0, 0.3)
            layer.attention.self.value.weight.normal_(0, 0.05)
        model.classifier.weight.zero_()
        model.classifier.weight[:, : len(TAGS)] = torch.eye(len(TAGS)) * 0.6
    return model
