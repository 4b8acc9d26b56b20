from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from viner.bundle import find_bundle, rebuilt_graph
from viner.runtime import Recognizer
from viner.scale import ClusterError
from viner.scale.shipment import Shipment

TEXT = "Lan ở Hà Nội, Nguyễn Văn A ở Huế"


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def shipment(tiny_model):
    return Shipment.of(find_bundle(tiny_model))


@pytest.fixture
def far(shipment, tmp_path):
    """A shipment from a machine whose folders cannot be seen from here."""
    return replace(shipment, path=str(tmp_path / "elsewhere"))


def test_a_folder_that_can_be_seen_is_used_as_it_is(shipment, tiny_model, home):
    assert shipment.arrive() == tiny_model.resolve()
    assert not home.exists()


def test_elsewhere_the_copy_recognizes_the_same(far, tiny_model, home):
    folder = far.arrive()
    assert folder.parent == home / "shipped"
    assert Recognizer.load(folder)(TEXT) == Recognizer.load(tiny_model)(TEXT)


def test_weights_and_card_stay_at_home(shipment):
    assert "model.onnx" in shipment.files
    assert not {"model.safetensors", "README.md"} & set(shipment.files)


def test_the_copy_is_made_once(far):
    folder = far.arrive()
    before = (folder / "model.onnx").stat().st_mtime_ns
    assert far.arrive() == folder
    assert (folder / "model.onnx").stat().st_mtime_ns == before
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]


def test_a_damaged_copy_is_made_anew(far):
    folder = far.arrive()
    (folder / "model.onnx").write_bytes(b"cut")
    assert far.arrive() == folder
    assert (folder / "model.onnx").read_bytes() == far.files["model.onnx"]


def test_another_model_at_the_same_path_is_not_taken_for_it(far, tmp_path):
    from support.tiny import tiny_bundle

    tiny_bundle(tmp_path / "elsewhere", engine="fp32")
    assert far.arrive() != tmp_path / "elsewhere"


def test_the_other_graph_goes_along_when_it_is_asked_for(tiny_model, home, tmp_path):
    bundle = find_bundle(tiny_model)
    graph = rebuilt_graph(bundle.info, "fp32")
    graph.parent.mkdir(parents=True)
    graph.write_bytes(b"a graph")
    shipment = Shipment.of(bundle, "fp32")
    shutil.rmtree(home)
    replace(shipment, path=str(tmp_path / "elsewhere")).arrive()
    assert graph.read_bytes() == b"a graph"
    assert shipment.size > len(b"a graph")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX")
def test_a_worker_without_room_says_where(far, home):
    home.write_text("a file where the folder should be")
    with pytest.raises(ClusterError, match="cannot keep the model") as caught:
        far.arrive()
    assert caught.value.where.startswith(str(home))
    assert "VINER_HOME" in caught.value.hint


@pytest.mark.parametrize(("engine", "runs"), [(None, "cascade"), ("int8", "int8"), ("fp32", "fp32")])
def test_both_graphs_of_a_cascade_arrive(home, tmp_path, engine, runs):
    from support.tiny import tiny_cascade

    shipment = Shipment.of(find_bundle(tiny_cascade(tmp_path / "model")), engine)
    assert not shipment.graph
    arrived = replace(shipment, path=str(tmp_path / "elsewhere")).arrive()
    recognizer = Recognizer.load(arrived, engine=shipment.engine)
    assert recognizer.engine == runs
    assert [entity.label for entity in recognizer("Lan ở Huế").entities] == ["PERSON", "LOCATION"]
