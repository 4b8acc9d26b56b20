"""Without the package that it adapts to, an adapter says what to install."""

import importlib
import sys

import pytest

from viner.errors import MissingExtraError


@pytest.mark.parametrize(("adapter", "package"), [("spacy", "spacy"), ("presidio", "presidio_analyzer")])
def test_an_adapter_names_its_extra(adapter, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"viner.adapters.{adapter}", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        importlib.import_module(f"viner.adapters.{adapter}")
    assert caught.value.hint == f"Install it with: pip install 'viner[{adapter}]'"
