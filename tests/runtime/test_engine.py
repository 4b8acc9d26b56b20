import math
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from viner.errors import BundleError, UsageError
from viner.runtime import OnnxEngine, Recognizer, engine


def batch(pieces):
    """Two texts of so many pieces, of which every second one is asked for."""
    return np.full((2, pieces), 9), np.ones((2, pieces), dtype=np.int64), np.arange(0, 2 * pieces, 2)


def test_only_what_is_asked_for_is_answered(tiny_model):
    engine = OnnxEngine(tiny_model / "model.onnx", "entities")
    ids, mask, _ = batch(20)
    ids[:] = np.arange(40).reshape(2, 20) + 5
    whole = engine.run(ids, mask, np.arange(40))
    asked = np.array([39, 0, 7, 7, 21])
    assert np.array_equal(engine.run(ids, mask, asked), whole[asked])


def test_many_threads_get_the_answers_that_one_gets(tiny_model):
    engine = OnnxEngine(tiny_model / "model.onnx", "entities", threads=2)
    batches = [batch(n) for n in range(1, 40)]
    expected = [engine.run(*one) for one in batches]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: engine.run(*one), batches))
    submitted = [engine.submit(engine.run, *one) for one in batches]
    for one, two, three in zip(expected, answers, submitted, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three.result())


@pytest.mark.parametrize(("overflow", "entry"), [(True, "1"), (False, None)])
def test_matrices_become_u8_where_products_overflow_and_nowhere_else(tiny_model, monkeypatch, overflow, entry):
    """What that does is seen in test_product.py, where the tests run on such a processor."""
    monkeypatch.setattr("viner.runtime.engine.products_overflow", lambda: overflow)
    options = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda path, asked, **rest: options.append(asked) or session(path, asked, **rest)
    )
    OnnxEngine(tiny_model / "model.onnx", "entities")
    (asked,) = options
    if entry is None:
        with pytest.raises(RuntimeError):
            asked.get_session_config_entry("session.x64quantprecision")
    else:
        assert asked.get_session_config_entry("session.x64quantprecision") == entry


@pytest.mark.parametrize(("shared_from", "most"), [(0, 1), (1 << 30, 4)])
def test_threads_share_the_session_of_a_large_graph(tiny_model, monkeypatch, shared_from, most):
    monkeypatch.setattr("viner.runtime.engine.SHARED_FROM", shared_from)
    opened = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *args, **options: opened.append(args) or session(*args, **options)
    )
    engine = OnnxEngine(tiny_model / "model.onnx", "entities", threads=4)
    for result in [engine.submit(engine.run, *batch(30)) for _ in range(50)]:
        result.result()
    assert 1 <= len(opened) <= most


def test_a_graph_that_is_none(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"garbage")
    with pytest.raises(BundleError, match=r"model\.onnx.*cannot load"):
        OnnxEngine(tmp_path / "model.onnx", "entities")


def test_a_graph_without_the_layer(tiny_model):
    with pytest.raises(BundleError, match="no output 'pos', only entities"):
        OnnxEngine(tiny_model / "model.onnx", "pos")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(tiny_model):
    ner = Recognizer.load(tiny_model, threads=2)
    texts = ["Lan ở Huế " * 60] * 20
    expected = [document.entities for document in ner.stream(texts)]
    assert ner._engine._pool is not None  # whose threads no child has
    with ner._engine._lock:  # and a lock that a thread holds meanwhile would never open
        context = multiprocessing.get_context("fork")
        answers = context.SimpleQueue()
        child = context.Process(target=lambda: answers.put([document.entities for document in ner.stream(texts)] == expected))
        child.start()
    child.join(60)
    alive = child.is_alive()
    child.kill()
    assert not alive
    assert answers.get()


def test_no_threads(tiny_model):
    with pytest.raises(UsageError, match="at least 1"):
        OnnxEngine(tiny_model / "model.onnx", "entities", threads=0)


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000"}, math.inf),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"}, 2),
        ("0::/a/b\n", {"cpu.max": "50000 100000", "a/cpu.max": "200000 100000"}, 0.5),
        ("4:memory:/x\n3:cpu,cpuacct:/x\n", {"cpu/x/cpu.cfs_quota_us": "300000", "cpu/x/cpu.cfs_period_us": "100000"}, 3),
        ("3:cpu,cpuacct:/gone\n", {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ("what is this", {}, math.inf),
        (None, {"cpu.max": "100000 100000"}, math.inf),
    ],
)
def test_the_quota_of_a_container_is_the_smallest_of_its_groups(tmp_path, groups, files, expected):
    for name, content in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(content)
    if groups is not None:
        (tmp_path / "own").write_text(groups)
    assert engine._quota(tmp_path / "fs", tmp_path / "own") == expected


def test_cores_are_no_more_than_the_quota_and_one_at_least(monkeypatch):
    there = engine.cores()
    for quota, expected in ((0.2, 1), (1.0, 1), (math.inf, there)):
        monkeypatch.setattr(engine, "_quota", lambda quota=quota: quota)
        assert engine.cores() == expected
