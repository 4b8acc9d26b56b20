from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from support.bases import tiny_base
from viner.bundle.graph_files import data_of, files_of, size_of
from viner.training import graph_file
from viner.training.export import INPUTS, export_onnx
from viner.training.graph_file import copy_graph, move_graph, remove_graph, save_graph


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    from transformers import AutoModelForTokenClassification

    folder = tiny_base(tmp_path_factory.mktemp("bases") / "base")
    return AutoModelForTokenClassification.from_pretrained(folder, num_labels=5).eval()


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr(graph_file, "INLINE", 1)


@pytest.fixture
def large(stock, tmp_path, all_are_large):
    (tmp_path / "made").mkdir()
    export_onnx(stock, tmp_path / "made" / "fp32.onnx")
    return tmp_path / "made" / "fp32.onnx"


def logits(graph):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    ids = np.arange(2, 20).reshape(2, 9)
    return session.run(None, dict(zip(INPUTS, (ids, np.ones_like(ids)), strict=True)))[0]


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_the_numbers_of_a_large_graph_lie_beside_it_and_it_answers_the_same(stock, tmp_path, large):
    assert names(large.parent) == ["fp32.onnx", "fp32.onnx.data"]
    assert files_of(large) == (large, data_of(large))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_file, "INLINE", 1 << 31)
        export_onnx(stock, tmp_path / "inline.onnx")
    assert files_of(tmp_path / "inline.onnx") == (tmp_path / "inline.onnx",)
    assert data_of(large).stat().st_size > 0.8 * (tmp_path / "inline.onnx").stat().st_size > large.stat().st_size
    assert size_of(large) == large.stat().st_size + data_of(large).stat().st_size
    assert np.array_equal(logits(large), logits(tmp_path / "inline.onnx"))


@pytest.mark.parametrize("name", ["fp32.onnx", "model.onnx.fp32.onnx"])
def test_it_moves_under_any_name(tmp_path, large, name):
    expected = logits(large)
    move_graph(large, tmp_path / name)
    assert names(large.parent) == []
    assert np.array_equal(logits(tmp_path / name), expected)


@pytest.mark.parametrize("name", ["fp32.onnx", "model.onnx"])
def test_a_copy_has_a_name_of_its_own_and_the_graph_stays(tmp_path, large, name):
    expected, before = logits(large), large.read_bytes()
    copy_graph(large, tmp_path / name)
    assert large.read_bytes() == before
    remove_graph(large)
    assert names(large.parent) == []
    assert np.array_equal(logits(tmp_path / name), expected)


def test_a_graph_that_fits_takes_the_place_of_a_large_one_whole(tmp_path, large, monkeypatch):
    target = tmp_path / "model.onnx"
    copy_graph(large, target)
    monkeypatch.setattr(graph_file, "INLINE", 1 << 31)
    save_graph(onnx.load(large), target)
    assert files_of(target) == (target,)
    assert np.array_equal(logits(target), logits(large))


def test_a_file_of_the_same_name_where_the_command_runs_is_no_harm(tmp_path, large, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.onnx.data").write_text("of somebody")
    monkeypatch.chdir(elsewhere)
    save_graph(onnx.load(large), tmp_path / "other.onnx")
    assert (elsewhere / "other.onnx.data").read_text() == "of somebody"
    assert np.array_equal(logits(tmp_path / "other.onnx"), logits(large))


def test_small_tensors_stay_in_the_graph_for_shapes(large):
    beside = [item.name for item in onnx.load(large, load_external_data=False).graph.initializer if item.external_data]
    small = [item for item in onnx.load(large).graph.initializer if item.name not in beside]
    assert beside
    assert small
    assert max(len(item.raw_data) for item in small) < graph_file.SMALL


def test_what_goes_wrong_on_the_way_leaves_what_was_there(tmp_path, large, monkeypatch):
    target = tmp_path / "model.onnx"
    target.write_bytes(b"an older one")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx, "save", full)
    with pytest.raises(OSError, match="No space"):
        save_graph(onnx.load(large), target)
    assert names(tmp_path) == ["made", "model.onnx"]
    assert target.read_bytes() == b"an older one"
