import numpy as np
import pytest

from support.tiny import tiny_bundle
from viner.errors import UsageError
from viner.runtime import Recognizer
from viner.workflow.rebuild import rebuild_graph

TEXT = "Nguyễn Văn A và Lan từ Hà Nội đến Huế."


@pytest.mark.parametrize(("held", "wanted"), [("int8", "fp32"), ("fp32", "int8")])
def test_the_other_graph_is_built_once_and_found_by_the_recognizer(tmp_path, monkeypatch, held, wanted):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    folder = tiny_bundle(tmp_path / "model", engine=held)
    graph = rebuild_graph(folder, wanted)
    stamp = graph.stat().st_mtime_ns
    assert rebuild_graph(folder, wanted).stat().st_mtime_ns == stamp
    assert [file.name for file in graph.parent.iterdir()] == [graph.name]
    one, two = Recognizer.load(folder)(TEXT), Recognizer.load(folder, engine=wanted)(TEXT)
    assert [(e.start, e.end, e.label) for e in one.entities] == [(e.start, e.end, e.label) for e in two.entities]
    assert np.allclose([e.score for e in one.entities], [e.score for e in two.entities], atol=0.02)


def test_the_graph_that_is_there_is_not_built(tmp_path):
    folder = tiny_bundle(tmp_path / "model")
    assert rebuild_graph(folder, "int8") == folder / "model.onnx"


def test_an_unknown_engine(tmp_path):
    with pytest.raises(UsageError, match="unknown engine"):
        rebuild_graph(tmp_path, "int4")
