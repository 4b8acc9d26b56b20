from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _few_runs(monkeypatch):
    """Ceilings from three runs: the tests look at what is said, not at how fast this machine is."""
    monkeypatch.setattr("viner.measure.ceilings.RUNS", 3)
    monkeypatch.setattr("viner.measure.ceilings.WARM_UP", 1)
