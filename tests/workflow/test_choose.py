import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from support.tiny import tiny_bundle
from viner.bundle import read_bundle
from viner.document import Document, Entity
from viner.runtime import cascade
from viner.workflow import choose
from viner.workflow.choose import canary_documents, choose_engine

DEV = [Document(text) for text in ("Lan ở Hà Nội.", "Nguyễn Văn A từ Huế đến Paris. Minh về.", "Nam") * 5]


@pytest.fixture
def graphs(tmp_path, monkeypatch):
    """A model's float32 graph, its int8 graph, and what it says about itself."""
    monkeypatch.setattr(choose, "SENTENCES", 40)
    folder = tiny_bundle(tmp_path / "model", engine="fp32")
    small = tiny_bundle(tmp_path / "small") / "model.onnx"
    return read_bundle(folder).info, folder, folder / "model.onnx", small


def test_int8_is_taken_where_it_finds_the_same(graphs):
    choice = choose_engine(*graphs, DEV * 3)  # enough of what it was made for: it is no model of epidemics
    evidence = choice.evidence
    assert choice.engine == "int8"
    assert evidence["same_share"] >= evidence["needed"] == choose.SAME
    assert evidence["entities"] >= evidence["same"] >= 25
    assert evidence["sentences"] >= 40
    assert set(evidence["pieces_per_second"]) == {"fp32", "int8"}
    assert "chosen is int8" in choice.summary()


def test_float32_is_taken_where_int8_is_wrong(graphs, tmp_path):
    info, folder, exact, _ = graphs
    choice = choose_engine(info, folder, exact, with_wrong_labels(exact, tmp_path), DEV)
    assert choice.engine == "fp32"
    assert choice.evidence["same"] == 0
    assert "chosen is fp32, since 99.5% are needed (int8 all the same: viner engine)" in choice.summary()


def test_float32_is_taken_where_no_entity_is_found(graphs, tmp_path, monkeypatch):
    monkeypatch.setattr(choose, "SENTENCES", 2)
    assert choose_engine(*graphs, [Document("không có gì")] * 3).engine == "fp32"


def test_few_dev_sentences_are_filled_up_from_the_bundled_corpus(graphs):
    choice = choose_engine(*graphs, DEV[:1])
    assert choice.evidence["sentences"] >= 40


def test_a_dev_set_with_enough_entities_is_compared_on_alone(graphs, monkeypatch):
    """What the bundled corpus is about says nothing about a model that was made for something else."""
    monkeypatch.setattr(choose, "ENOUGH", 4)
    found = [Entity(0, 3, "PERSON"), Entity(6, 12, "LOCATION")]
    dev = [Document("Lan ở Hà Nội.", entities=found)] * 2 + [Document("Không có gì.", entities=[])]
    assert choose_engine(*graphs, dev).evidence["sentences"] == 3
    assert choose_engine(*graphs, dev[:1]).evidence["sentences"] >= 40


def test_f1_of_both_is_told_where_dev_is_annotated(graphs, tmp_path):
    dev = [Document("Lan ở Hà Nội.", entities=[Entity(0, 3, "PERSON"), Entity(6, 12, "PERSON")])]
    choice = choose_engine(*graphs, dev)
    assert choice.evidence["dev_f1"] == {"fp32": 0.5, "int8": 0.5, "cascade": 0.5}
    assert "(F1 0.5000 against 0.5000, " in choice.summary()
    assert "dev_f1" not in choose_engine(*graphs, DEV).evidence


@pytest.mark.parametrize("asked", ["int8", "fp32", "cascade"])
def test_what_was_asked_for_is_taken_whatever_was_found(graphs, asked):
    choice = choose_engine(*graphs, [Document("không có gì")], asked=asked)
    assert choice.engine == asked
    assert choice.evidence["asked"]
    assert f"asked for is {asked}" in choice.summary()
    assert "--engine" not in choice.summary()


def test_sentences_by_the_thousand_are_there_whatever_the_dev_set(monkeypatch):
    monkeypatch.undo()
    texts, sentences = choose._texts([], fill=True)
    assert sentences >= choose.SENTENCES
    assert all(text.entities is None for text in texts)


def test_canaries_are_of_the_bundled_corpus():
    documents = canary_documents()
    assert len(documents) == 50
    assert all(document.entities is None and document.text for document in documents)


def test_the_folder_is_not_changed(graphs, tmp_path):
    info, folder, exact, small = graphs
    shutil.copytree(folder, tmp_path / "before")
    choose_engine(info, folder, exact, small, DEV)
    assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in (tmp_path / "before").iterdir())


def with_wrong_labels(exact, folder):
    """A graph whose entities have the other label."""
    wrong = onnx.load(exact)
    for item in wrong.graph.initializer:
        array = numpy_helper.to_array(item)
        if array.ndim == 2 and array.shape[-1] == 5:  # the head: B-PERSON and B-LOCATION change places
            item.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array[:, [0, 3, 4, 1, 2]]), item.name))
    onnx.save(wrong, folder / "wrong.onnx")
    return folder / "wrong.onnx"


@pytest.mark.parametrize(
    ("faster", "margin", "chosen"), [(0, np.inf, "cascade"), (1e9, np.inf, "fp32"), (0, 0.0, "fp32")], ids=str
)
def test_a_cascade_is_taken_where_it_finds_the_same_and_is_faster(graphs, tmp_path, monkeypatch, faster, margin, chosen):
    info, folder, exact, _ = graphs
    monkeypatch.setattr(choose, "FASTER", faster)
    monkeypatch.setattr(cascade, "MARGIN", margin)
    choice = choose_engine(info, folder, exact, with_wrong_labels(exact, tmp_path), DEV)
    assert choice.engine == chosen
    assert choice.evidence["cascade"]["same_share"] == (1 if margin else 0)
    assert choice.evidence["cascade"]["times_as_fast"] > 0
    assert f"chosen is {chosen}" in choice.summary()
    assert ("times as fast is needed (the cascade all the same" in choice.summary()) == (faster > 1)
    assert "where float32 computes again what it is unsure of" in choice.summary()
    assert set(choice.evidence["pieces_per_second"]) == {"fp32", "int8", "cascade"}


def test_a_cascade_is_not_tried_where_int8_will_do_unless_it_is_asked_for(graphs):
    assert "cascade" not in choose_engine(*graphs, DEV * 3).evidence
    asked = choose_engine(*graphs, DEV * 3, asked="cascade")
    assert asked.engine == "cascade"
    assert asked.evidence["cascade"]["same_share"] >= choose.SAME
    assert "asked for is cascade" in asked.summary()
