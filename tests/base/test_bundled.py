import os
import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from viner.base import bundled, unpack
from viner.errors import BundleError

FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


def names(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return unpack(tmp_path_factory.mktemp("base") / "encoder")


def test_it_takes_at_most_22_megabytes_of_the_package():
    assert sum(file.stat().st_size for file in bundled.WEIGHTS.iterdir()) <= 22_000_000


def test_it_unpacks_to_a_stock_folder_whose_hashes_match(folder):
    # unpack() itself compares every SHA-256 of the manifest
    assert names(folder) == FILES
    tensors = load_file(folder / "model.safetensors")
    assert tensors["embeddings.word_embeddings.weight"].shape == (39107, 384)
    assert {str(tensor.dtype) for tensor in tensors.values()} == {"float16"}


def test_it_equals_its_source_byte_by_byte(folder):
    source = os.environ.get("VINER_BASE_SOURCE")
    if not source:
        pytest.skip("VINER_BASE_SOURCE does not name the folder that the encoder was built from")
    for name in FILES:
        assert (folder / name).read_bytes() == (Path(source) / name).read_bytes(), name


def test_a_second_call_finds_the_first_ones_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path))
    first = unpack()
    stamp = (first / "model.safetensors").stat().st_mtime_ns
    assert unpack() == first
    assert (first / "model.safetensors").stat().st_mtime_ns == stamp
    assert first.is_relative_to(tmp_path)
    assert names(first.parent) == [first.name]


def test_a_folder_that_lost_a_file_is_unpacked_again(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "tokenizer.json").unlink()
    unpack(copy)
    assert names(copy) == FILES


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match="other files"):
        unpack(tmp_path)
    assert names(tmp_path) == ["notes.txt"]


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BundleError, match="No space left on device"):
        unpack(tmp_path / "base")
    assert names(tmp_path) == []


def test_a_damaged_package_says_so(tmp_path, monkeypatch):
    weights = tmp_path / "weights"
    shutil.copytree(bundled.WEIGHTS, weights)
    content = bytearray((weights / bundled.MATRICES).read_bytes())
    content[-1] ^= 1
    (weights / bundled.MATRICES).write_bytes(content)
    monkeypatch.setattr(bundled, "WEIGHTS", weights)
    with pytest.raises(BundleError, match="damaged"):
        unpack(tmp_path / "out")
    assert not (tmp_path / "out").exists()
