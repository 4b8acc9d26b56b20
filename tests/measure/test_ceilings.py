from __future__ import annotations

import sys

import pytest

from viner.measure import int8_ceiling, measure_ceilings
from viner.measure.ceilings import SHAPE


def test_the_shape_is_the_fixed_one():
    assert SHAPE == "1,024×384×1,536"


def test_there_is_a_ceiling_for_each_arithmetic_and_it_says_how_it_was_measured():
    pytest.importorskip("torch")
    ceilings = measure_ceilings(1)
    assert set(ceilings) == {"int8", "fp32", "bf16"}
    assert all(ceiling.operations_per_s > 1e6 for ceiling in ceilings.values())
    assert "MatMulInteger u8 × s8" in ceilings["int8"].how
    assert ceilings["bf16"].how.startswith("torch ")


def test_torch_keeps_its_number_of_threads():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    measure_ceilings(1)
    assert torch.get_num_threads() == before


def test_without_torch_float32_is_measured_with_onnx_runtime_and_bf16_not_at_all(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    ceilings = measure_ceilings(1)
    assert set(ceilings) == {"int8", "fp32"}
    assert "ONNX Runtime MatMul," in ceilings["fp32"].how


def test_the_faster_way_to_use_two_cores_is_the_ceiling(monkeypatch):
    for rates, way in (({1: 3.0, 2: 5.0}, "2 sessions × 1 thread"), ({1: 6.0, 2: 5.0}, "1 session × 2 threads")):
        monkeypatch.setattr("viner.measure.ceilings._side_by_side", lambda runners, rates=rates: rates[len(runners)])
        ceiling = int8_ceiling(2)
        assert ceiling.operations_per_s == max(rates.values())
        assert ceiling.how.endswith(way)
