"""Base encoders for tests, a task that they learn in seconds, and nothing that needs a network.

``tiny_base(folder)`` writes a random encoder, 32 wide, with a tokenizer that knows the words of the task and single characters.
``toy_documents`` makes sentences in which some words are entities wherever they stand.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from support.tiny_tokenizers import tiny_tokenizer
from viner.document import Document, Entity

PEOPLE = ("Lan", "Nam", "Minh", "Hoa")
PLACES = ("Hà Nội", "Huế", "Đà Nẵng", "Paris")
FILLERS = "đi đến rồi về gặp ở và cùng hôm qua sáng nay".split()
LABELS = ("PERSON", "LOCATION")
_NAMES = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
_SHAPE = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}


def toy_documents(count: int, seed: int = 0) -> list[Document]:
    """Documents of one to three sentences about people and places."""
    draw = random.Random(seed)
    return [_document(draw, f"{seed}-{index}") for index in range(count)]


def _document(draw: random.Random, name: str) -> Document:
    text, entities = "", []
    for _ in range(draw.randint(1, 3)):
        for _ in range(draw.randint(3, 9)):
            label, words = draw.choice((("PERSON", PEOPLE), ("LOCATION", PLACES), (None, FILLERS), (None, FILLERS)))
            word = draw.choice(words)
            text += " " if text else ""
            if label:
                entities.append(Entity(len(text), len(text) + len(word), label))
            text += word
        text += ". "
    return Document(text.rstrip(), id=name, entities=entities)


def tiny_base(
    folder: Path,
    kind: str = "bert",
    *,
    positions: int = 128,
    layers: int = 2,
    tokenizer: str | None = None,
    words: Sequence[str] = (),
    **config: object,
) -> Path:
    """Writes a random base encoder of a Transformers architecture and returns its folder.

    Args:
        folder: The folder.
        kind: The architecture.
        positions: Pieces that it has positions for.
        layers: Its layers.
        tokenizer: A kind of `support.tiny_tokenizers`; None takes WordPiece.
        words: More words that the tokenizer knows.
        config: More of the architecture's configuration.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    known = " ".join([*PEOPLE, *PLACES, *FILLERS]).split() + list(words)
    pieces, names, _ = (_tokenizer(), _NAMES, None) if tokenizer is None else tiny_tokenizer(tokenizer, known)
    size = pieces.get_vocab_size()
    shape = {
        **_SHAPE,
        "num_hidden_layers": layers,
        "vocab_size": size,
        "max_position_embeddings": positions,
        "pad_token_id": pieces.token_to_id(names["pad_token"]),
        **config,
    }
    if kind == "distilbert":
        shape = {
            "dim": 32,
            "n_layers": layers,
            "n_heads": 4,
            "hidden_dim": 64,
            "vocab_size": size,
            "max_position_embeddings": positions,
        }
    torch.manual_seed(0)
    # Wider than usual, so that so small an encoder tells its words apart; through more than two such layers nothing would pass.
    model = AutoModel.from_config(AutoConfig.for_model(kind, initializer_range=0.3 if layers <= 2 else 0.1, **shape))
    model.save_pretrained(folder)
    pieces.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **names}))
    return folder


def _tokenizer():
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing

    words = " ".join([*PEOPLE, *PLACES, *FILLERS]).split()
    letters = [*map(chr, range(33, 127)), *sorted(set("".join(words)) - set(map(chr, range(128))))]
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = dict.fromkeys([*names, *words, *letters, *("##" + letter for letter in letters)])
    tokenizer = Tokenizer(WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(names)
    tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def with_other_weights(base: Path, folder: Path) -> Path:
    """Copies a base encoder but for one of its weights: configuration, tokenizer and all sizes stay as they are."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(base, folder)
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][9] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder
