from __future__ import annotations

import math

import pytest
import torch

from viner.training import precision
from viner.training.precision import arithmetic, make_accelerator, times_as_fast


@pytest.fixture
def processor(monkeypatch):
    """A processor without a GPU beside it, in one process."""
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def has(instructions: bool, ratio: float) -> None:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: instructions)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        monkeypatch.setattr(precision, "times_as_fast", lambda: ratio)

    return has


@pytest.mark.parametrize(("ratio", "expected"), [(1.8, "bf16"), (0.6, "fp32")])
def test_instructions_for_bf16_are_used_where_they_are_faster(processor, ratio, expected):
    processor(True, ratio)
    assert arithmetic(make_accelerator(None)) == expected


def test_without_instructions_nothing_is_measured(processor):
    processor(False, math.inf)
    assert arithmetic(make_accelerator(None)) == "fp32"


@pytest.mark.parametrize("asked", ["bf16", "fp32"])
def test_what_is_asked_for_is_done(processor, asked):
    processor(asked == "fp32", 2.0 if asked == "fp32" else 0.5)
    assert arithmetic(make_accelerator(asked)) == asked


def test_processes_that_train_together_go_by_the_instructions(processor, monkeypatch):
    processor(True, 0.5)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert precision._bf16_pays()


def test_the_measurement_is_a_ratio_and_is_made_once():
    assert 0 < times_as_fast() < math.inf
    assert times_as_fast() == times_as_fast()


@pytest.mark.parametrize(("first", "second"), [("bf16", "fp32"), ("fp32", "bf16")])
def test_an_accelerator_says_what_it_computes_in_also_after_another_was_made(first, second):
    kept = make_accelerator(first)
    made = make_accelerator(second)
    assert (arithmetic(kept), arithmetic(made)) == (first, second)
    with kept.autocast():
        product = torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2))
    assert product.dtype == (torch.bfloat16 if first == "bf16" else torch.float32)
