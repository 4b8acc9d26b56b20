"""int8 where it is sure, float32 where it is not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from support.tiny import tiny_bundle, tiny_cascade
from viner.bundle import read_bundle
from viner.document import Document
from viner.encoding import BioDecoder
from viner.errors import BundleError
from viner.runtime import Engine, Recognizer, cascade
from viner.runtime.cascade import CascadeEngine
from viner.runtime.provider import open_engine

TEXTS = ["Lan ở Hà Nội.", "", "không có gì", "Nguyễn Văn A từ Huế đến Paris", "Minh, Nam và Lan; Hà Nội! " * 30]


class Guesser(Engine):
    """Is as sure of a word as its piece says: the logits of two tags are so many hundredths apart. Keeps what it is asked."""

    def __init__(self, answer: float) -> None:
        super().__init__(threads=1)
        self.answer = answer
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []

    def _run(self, ids, mask, first, *, alone):
        self.asked.append((ids, mask))
        pieces = ids.reshape(-1)[first]
        return np.stack([np.full(len(first), self.answer), self.answer - pieces / 100, pieces * 0 - 9], axis=1).astype(
            np.float32
        )


def batch(*rows: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sequences, filled up with padding, and the places of all their pieces."""
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows], dtype=np.int64)
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows], dtype=np.int64)
    return ids, mask, np.flatnonzero(mask.reshape(-1))


def test_sequences_with_an_unsure_word_are_computed_again_and_no_others():
    quick, exact = Guesser(1), Guesser(2)
    both = CascadeEngine(quick, exact)
    found = both.run(*batch([90, 80, 70, 60], [90, 20], [100], [49, 90, 90]))
    assert found[:, 0].tolist() == [1] * 4 + [2] * 2 + [1] + [2] * 3
    # Nothing is computed of the others, nor more padding than it takes.
    ((ids, mask),) = exact.asked
    assert ids.tolist() == [[90, 20, 0], [49, 90, 90]]
    assert mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert (both.computed, both.recomputed) == (10, 5)
    assert found[:, 1].tolist() == pytest.approx(
        [found[place, 0] - piece / 100 for place, piece in enumerate([90, 80, 70, 60, 90, 20, 100, 49, 90, 90])]
    )


def test_so_are_sequences_in_which_an_entity_is_at_the_border_of_what_is_left_out():
    asked = []

    def at_border(logits, begins, margin):
        asked.append((len(logits), begins.tolist(), margin))
        return np.array([False, False, True, False])[: len(begins)]

    quick, exact = Guesser(1), Guesser(2)
    both = CascadeEngine(quick, exact).judged_by(at_border)
    found = both.run(*batch([90, 80, 70], [90, 20], [100, 60], [70]))
    assert found[:, 0].tolist() == [1] * 3 + [2] * 4 + [1]
    assert asked == [(8, [0, 3, 5, 7], cascade.BORDER)]
    assert (both.computed, both.recomputed) == (8, 4)
    assert both.run(*batch([90])[:2], np.array([], dtype=np.int64)).shape == (0, 3)
    assert not both.busy


def test_where_all_is_sure_nothing_is_computed_again():
    quick, exact = Guesser(1), Guesser(2)
    both = CascadeEngine(quick, exact)
    assert both.run(*batch([90, 80], [70]))[:, 0].tolist() == [1, 1, 1]
    assert both.run(*batch([90])[:2], np.array([], dtype=np.int64)).shape == (0, 3)
    assert exact.asked == []


def test_what_is_no_number_is_not_sure():
    class Broken(Guesser):
        def _run(self, ids, mask, first, *, alone):
            return super()._run(ids, mask, first, alone=alone) * np.float32(np.nan)

    assert CascadeEngine(Broken(1), Guesser(2)).run(*batch([90, 80]))[:, 0].tolist() == [2, 2]


def test_what_is_computed_again_does_not_depend_on_the_batch():
    draw = np.random.default_rng(0)
    rows = [draw.integers(30, 300, draw.integers(1, 9)).tolist() for _ in range(60)]
    alone = [CascadeEngine(Guesser(1), Guesser(2)).run(*batch(row)) for row in rows]
    assert 10 < sum(answer[0, 0] == 2 for answer in alone) < 50
    together = CascadeEngine(Guesser(1), Guesser(2)).run(*batch(*rows))
    assert np.array_equal(together, np.concatenate(alone))


def entities(recognizer, texts=TEXTS):
    return [[(e.start, e.end, e.label, e.score) for e in document.entities] for document in recognizer.stream(texts)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_cascade(tmp_path_factory.mktemp("cascade") / "model")


def test_a_folder_with_both_graphs_is_whole_and_runs_either_or_both(model, tmp_path, monkeypatch):
    bundle = read_bundle(model)
    bundle.verify()
    assert (bundle.info.engine, bundle.info.to_dict()["bundle"]) == ("cascade", 2)
    assert "model.onnx.fp32.onnx" in bundle.needed
    exact = entities(Recognizer.load(tiny_bundle(tmp_path / "exact", engine="fp32")))
    small = entities(Recognizer.load(tiny_bundle(tmp_path / "small")))
    assert exact != small
    assert entities(Recognizer.load(model, engine="fp32")) == exact
    assert entities(Recognizer.load(model, engine="int8")) == small
    monkeypatch.setattr(cascade, "MARGIN", np.inf)
    recognizer = Recognizer.load(model)
    assert (recognizer.engine, entities(recognizer)) == ("cascade", exact)
    assert recognizer.recomputed > 0.9
    monkeypatch.setattr(cascade, "MARGIN", 0.0)
    recognizer = Recognizer.load(model)
    assert (entities(recognizer), recognizer.recomputed) == (small, 0)


def test_a_text_gets_the_same_answer_whatever_is_around_it(model, monkeypatch):
    ner = Recognizer.load(model)
    emissions = [part for chunk in ner._answered(TEXTS) for part in chunk.emissions if len(part)]
    margins = np.sort([float(cascade._margins(part).min()) for part in emissions])
    monkeypatch.setattr(cascade, "MARGIN", float(margins[1:3].mean()))  # half of them are computed again
    together = entities(ner, TEXTS * 5)
    assert 0 < ner.recomputed < 1
    for found, text in zip(together, TEXTS * 5, strict=True):
        (alone,) = entities(ner, [text])
        assert [entity[:3] for entity in found] == [entity[:3] for entity in alone]
        assert [entity[3] for entity in found] == pytest.approx([entity[3] for entity in alone], abs=1e-4)


@pytest.mark.parametrize("where", ["asked for", "the model's"])
def test_a_least_score_is_looked_at_from_near(model, where):
    everything = Recognizer.load(model).with_least_score(0)
    list(everything.stream(TEXTS))
    # The score is another mean than the estimate, in which the end counts.
    decoder = BioDecoder(everything.labels, None if where == "asked for" else lambda estimates: estimates)
    emissions = [part for chunk in Recognizer.load(model, engine="fp32")._answered(TEXTS) for part in chunk.emissions]
    border = float(np.median([span.score for spans in decoder.decode_batch(emissions) for span in spans]))
    if where == "asked for":
        ner = everything.with_least_score(border)
    else:
        ner = Recognizer.load(model)
        ner.info = replace(ner.info, least_estimate=border)
        ner = ner.with_least_score(None)
    assert ner.recomputed == 0  # of its own
    list(ner.stream(TEXTS))
    assert ner.recomputed > everything.recomputed


def test_without_its_second_graph_the_folder_is_not_whole(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "model.onnx.fp32.onnx").unlink()
    with pytest.raises(BundleError, match=r"fp32\.onnx is missing"):
        Recognizer.load(folder)


def test_a_cascade_asked_for_of_a_model_with_one_graph_says_how_to_get_the_other(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path))
    with pytest.raises(BundleError, match="its int8 graph only") as caught:
        Recognizer.load(tiny_model, engine="cascade")
    assert caught.value.hint.endswith(f"{tiny_model} fp32")


def test_on_another_processor_each_engine_is_held_to_what_it_found_at_home(model, tmp_path, caplog, monkeypatch):
    folder = shutil.copytree(model, tmp_path / "model")
    content = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    # As a training writes it that chose a cascade, since int8 found too little.
    content["evidence"] |= {"same_share": 0.9, "needed": 0.995, "asked": False, "cascade": {"same_share": 1.0}}
    (folder / "viner.json").write_text(json.dumps(content), encoding="utf-8")
    canaries = read_bundle(folder).canaries()
    other = replace(canaries, processor="another", documents=[item.with_(entities=()) for item in canaries.documents])
    (folder / "canaries.json").write_text(other.to_json(), encoding="utf-8")
    content["files"]["canaries.json"]["bytes"] = (folder / "canaries.json").stat().st_size
    (folder / "viner.json").write_text(json.dumps(content), encoding="utf-8")
    assert Recognizer.load(folder, engine="int8").engine == "int8"  # its logits are right
    assert caplog.records == []
    assert Recognizer.load(folder).engine == "fp32"
    assert "cascade finds 0 of the 0 entities" in caplog.text


def test_two_graphs_are_for_a_cascade_only(tiny_model):
    graph = tiny_model / "model.onnx"
    for kind, exact in (("cascade", None), ("int8", graph)):
        with pytest.raises(ValueError, match="has an exact graph"):
            open_engine("onnxruntime", graph, "entities", kind=kind, exact=exact)


def test_other_providers_compute_float32_in_its_place(model):
    pytest.importorskip("openvino")
    recognizer = Recognizer.load(model, provider="openvino")
    assert (recognizer.engine, recognizer.provider) == ("fp32", "openvino")
    assert [entity[:3] for entity in entities(recognizer)[0]] == [(0, 3, "PERSON"), (6, 12, "LOCATION")]


def test_a_document_is_answered_in_words_that_were_given(model):
    found = Recognizer.load(model)(Document("LanHuế", words=[(0, 3), (3, 6)]))
    assert [(e.start, e.end) for e in found.entities] == [(0, 3), (3, 6)]
