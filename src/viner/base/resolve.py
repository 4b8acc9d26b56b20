"""A base encoder by any name: the bundled one, a folder, or an id on the Hub. Whatever comes back can be trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from viner.base.bundled import unpack
from viner.bundle.hub import download, is_hub_id
from viner.encoding import PieceEncoder
from viner.errors import BundleError, MissingExtraError
from viner.paths import expanded

_DESCRIPTION = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "bpe.codes",
    "README.md",
)
_SAFE_WEIGHTS = ("model*.safetensors", "model.safetensors.index.json")
_PICKLED_WEIGHTS = ("pytorch_model*.bin", "pytorch_model.bin.index.json")


def resolve(base: str | Path | None = None, *, allow_bin: bool = False) -> Path:
    """Finds a base encoder and checks it.

    Args:
        base: None for the bundled encoder; a folder; or a Hub id, ``user/name[@revision]``. An existing folder wins.
        allow_bin: Also accept weights in PyTorch's ``.bin`` files, which are pickles. They must be loaded with
            ``weights_only=True``.

    Returns:
        A folder with ``config.json``, weights and a tokenizer.

    Raises:
        BundleError: If there is no such folder or id, the Hub is out of reach, or what it names is not an encoder that
            Transformers knows, with weights and tokenizer that can be read.
        MissingExtraError: If transformers is not installed.
    """
    if base is None:
        return unpack()
    folder = expanded(base)
    if not folder.exists():
        folder = _from_hub(str(base), allow_bin)
    _check_architecture(folder, str(base))
    _check_weights(folder, str(base), allow_bin)
    PieceEncoder.from_folder(folder)
    return folder


def _from_hub(name: str, allow_bin: bool) -> Path:
    if not is_hub_id(name):
        raise BundleError("no such folder", where=name, hint="Give an existing folder, or a Hub id: user/name[@revision]")
    folder = download(name, (*_DESCRIPTION, *_SAFE_WEIGHTS))
    if allow_bin and not _has(folder, _SAFE_WEIGHTS[0]):
        folder = download(name, (*_DESCRIPTION, *_PICKLED_WEIGHTS))
    return folder


def _check_architecture(folder: Path, name: str) -> None:
    try:
        from transformers.models.auto.modeling_auto import (
            MODEL_FOR_MASKED_LM_MAPPING_NAMES,
            MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
        )
    except ImportError:
        raise MissingExtraError("a base encoder", "train") from None
    config = _config(folder, name)
    kind = config.get("model_type")
    tagged = MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES
    # An encoder is what learns by filling masks: it reads both sides of a word. Decoders can have a tagging head as well, but
    # see only what stands before.
    if (
        kind in tagged
        and kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        and not config.get("is_decoder")
        and not config.get("is_encoder_decoder")
    ):
        return
    if not isinstance(kind, str):
        raise BundleError(
            "config.json names no 'model_type'",
            where=name,
            hint="Is it a Transformers model? Sentence or word vectors alone are not",
        )
    if kind in tagged or config.get("is_decoder") or config.get("is_encoder_decoder"):
        problem = f"a {kind} model writes text; it is no encoder"
    elif "auto_map" in config:
        problem = f"a {kind} model brings its own code, which viner never runs"
    else:
        problem = f"Transformers has no encoder of type {kind!r} that can tag"
    raise BundleError(
        problem, where=name, hint="Take an encoder such as xlm-roberta-base, or leave --base out for the bundled one"
    )


def _config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise BundleError("no config.json, so it is no Transformers model", where=name)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"config.json cannot be read ({error})", where=path) from error
    if not isinstance(config, dict):
        raise BundleError("config.json holds no JSON object", where=path)
    return config


def _check_weights(folder: Path, name: str, allow_bin: bool) -> None:
    if _has(folder, _SAFE_WEIGHTS[0]):
        return
    if allow_bin:
        if _has(folder, _PICKLED_WEIGHTS[0]):
            return
        raise BundleError("no weights (model.safetensors or pytorch_model.bin)", where=name)
    raise BundleError(
        "no weights in model.safetensors",
        where=name,
        hint="If it has pytorch_model.bin and you trust its author, add --allow-bin; it is read with weights_only=True",
    )


def _has(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None
