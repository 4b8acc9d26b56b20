"""Bases whose graphs do not fit into one file, from training to recognition; here every graph counts as such a one."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from support.bases import toy_documents
from viner.bundle import read_bundle
from viner.document import Document
from viner.errors import BundleError
from viner.formats import write
from viner.publishing.page_graph import page_graph
from viner.runtime import Recognizer
from viner.scale.shipment import Shipment
from viner.studio.versions import _identity
from viner.training import graph_file
from viner.workflow import Report, choose, train_model
from viner.workflow.other_engine import take_engine
from viner.workflow.rebuild import rebuild_graph

pytestmark = pytest.mark.xdist_group("large")  # one process makes what the tests share

CHOICES = {"epochs": 8, "learning_rate": 1e-2, "head_multiplier": 3.0, "precision": "fp32", "batch_pieces": 128, "harden": 0.0}
BOTH = ["model.onnx", "model.onnx.data"]


@pytest.fixture(scope="module", autouse=True)
def all_are_large():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_file, "INLINE", 1)
        patch.setattr(choose, "SENTENCES", 40)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def documents():
    return toy_documents(40, 2)


def learned(out, base, documents, engine):
    folder = out.parent
    write(toy_documents(150, 1), folder / "train.jsonl")
    write(documents, folder / "dev.jsonl")
    files = {split: folder / f"{split}.jsonl" for split in ("train", "dev")}
    return read_bundle(train_model(out=out, base=base, engine=engine, report=Report(io.StringIO()), **files, **CHOICES))


@pytest.fixture(scope="module")
def exact(tmp_path_factory, base, documents):
    return learned(tmp_path_factory.mktemp("exact") / "model", base, documents, "fp32")


def graphs(folder):
    return sorted(file.name for file in folder.iterdir() if ".onnx" in file.name)


def found(model, documents, engine=None):
    answers = Recognizer.load(model, engine).stream(Document(document.text) for document in documents)
    return [[entity.labeled_span for entity in answer.entities] for answer in answers]


def test_a_model_folder_holds_both_files_and_recognizes(exact, documents):
    assert graphs(exact.path) == BOTH
    assert set(BOTH) <= set(exact.needed)
    exact.verify()
    assert any(found(exact.path, documents))


@pytest.mark.parametrize(("engine", "told"), [("cascade", [*BOTH, *(f"model.onnx.fp32.onnx{end}" for end in ("", ".data"))])])
def test_a_cascade_holds_four(tmp_path, base, documents, exact, engine, told):
    bundle = learned(tmp_path / "model", base, documents, engine)
    assert graphs(bundle.path) == told
    assert found(bundle.path, documents) == found(exact.path, documents)
    take_engine(bundle.path, "fp32", documents, out=tmp_path / "one")
    assert graphs(tmp_path / "one") == BOTH
    assert found(tmp_path / "one", documents) == found(exact.path, documents)


def test_another_engine_is_built_beside_it_and_for_another_folder(tmp_path, exact, documents):
    graph = rebuild_graph(exact.path, "int8")
    assert graphs(graph.parent) == [graph.name, f"{graph.name}.data"]
    of_int8 = found(exact.path, documents, "int8")
    take_engine(exact.path, "cascade", documents, out=tmp_path / "both")
    assert len(graphs(tmp_path / "both")) == 4
    assert found(tmp_path / "both", documents) == found(exact.path, documents)
    take_engine(tmp_path / "both", "int8", documents, out=tmp_path / "small")
    assert found(tmp_path / "small", documents) == of_int8


def test_a_folder_without_the_numbers_or_with_others_is_refused(tmp_path, exact):
    from viner.bundle import copy_bundle

    copy = copy_bundle(exact, tmp_path / "copy", lambda _: None)
    data = copy.path / "model.onnx.data"
    content = data.read_bytes()
    data.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    with pytest.raises(BundleError, match=r"model\.onnx\.data was changed"):
        copy.verify(weights=False)
    data.unlink()
    with pytest.raises(BundleError, match=r"model\.onnx\.data is missing"):
        read_bundle(copy.path)


def test_a_cluster_gets_the_numbers_too(tmp_path, exact, documents, monkeypatch):
    rebuild_graph(exact.path, "int8")
    shipment = replace(Shipment.of(exact, "int8"), path=str(tmp_path / "elsewhere"))
    assert set(BOTH) <= set(shipment.files)
    assert len(shipment.graph) == 2
    expected = found(exact.path, documents, "int8")
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "worker"))
    assert found(shipment.arrive(), documents, "int8") == expected


def test_models_that_differ_in_their_numbers_alone_are_two(exact):
    info = exact.info
    other = replace(info, files={**info.files, "model.onnx.data": replace(info.files["model.onnx.data"], sha256="0" * 64)})
    assert _identity(other) != _identity(info)


def test_the_graph_of_a_web_page_is_one_file_where_it_fits(exact, monkeypatch):
    monkeypatch.setattr(graph_file, "INLINE", 1 << 31)
    with page_graph(exact.path, exact) as graph:
        assert graph.halved
        assert [file.name for file in graph.path.parent.iterdir()] == ["model.onnx"]
