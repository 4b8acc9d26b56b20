import json

import huggingface_hub
import pytest
from huggingface_hub import errors
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from viner.base import resolve
from viner.errors import BundleError


@pytest.fixture
def encoder(tmp_path):
    """A folder that looks like a BERT; nobody reads its weights here."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "max_position_embeddings": 64}))
    (folder / "model.safetensors").write_bytes(b"")
    Tokenizer(WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]")).save(str(folder / "tokenizer.json"))
    return folder


def test_none_is_the_bundled_encoder(tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path))
    assert (resolve() / "model.safetensors").is_file()


def test_an_existing_folder_wins(encoder):
    assert resolve(encoder) == encoder
    assert resolve(str(encoder)) == encoder


def test_phobert_needs_no_tokenizer_json(encoder):
    (encoder / "tokenizer.json").unlink()
    (encoder / "vocab.txt").write_text("a 3\nb@@ 2\nbc 1\n")
    (encoder / "bpe.codes").write_text("b c</w> 1\n")
    assert resolve(encoder) == encoder


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "gpt2"}, "writes text"),
        ({"model_type": "qwen3"}, "writes text"),
        ({"model_type": "bert", "is_decoder": True}, "writes text"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "writes text"),
        ({"model_type": "vit"}, "no encoder of type 'vit'"),
        ({"model_type": "mine", "auto_map": {}}, "brings its own code"),
        ({"hidden": 3}, "names no 'model_type'"),
        ([], "no JSON object"),
    ],
)
def test_what_is_not_an_encoder_is_refused(encoder, config, message):
    (encoder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match=message):
        resolve(encoder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(encoder, name):
    (encoder / name).unlink()
    with pytest.raises(BundleError, match=name):
        resolve(encoder)


def test_pickled_weights_need_a_word_of_trust(encoder):
    (encoder / "model.safetensors").rename(encoder / "pytorch_model.bin")
    with pytest.raises(BundleError, match="--allow-bin"):
        resolve(encoder)
    assert resolve(encoder, allow_bin=True) == encoder


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(BundleError, match="no such folder"):
        resolve(tmp_path / "nothing")


def test_a_hub_id_is_fetched_at_its_revision_without_pickles(encoder, monkeypatch):
    calls = []

    def fetch(repository, *, revision, allow_patterns):
        calls.append((repository, revision, allow_patterns))
        return str(encoder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert resolve("somebody/encoder@v2") == encoder
    [(repository, revision, patterns)] = calls
    assert (repository, revision) == ("somebody/encoder", "v2")
    assert not any("bin" in pattern or pattern == "*" for pattern in patterns)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.LocalEntryNotFoundError("no route to host\nlong story"), r"cannot be reached \(no route to host\)"),
        (errors.OfflineModeIsEnabled("offline mode"), "cannot be reached"),
        (errors.HFValidationError("bad name"), "neither a folder nor a Hub id"),
    ],
)
def test_the_hub_says_no(monkeypatch, error, message):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(BundleError, match=message):
        resolve("somebody/encoder")
