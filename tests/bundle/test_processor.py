from importlib import import_module

import pytest

module = import_module("viner.bundle.processor")  # the package gives that name to a function


@pytest.mark.parametrize(
    ("flags", "lacks"),
    [
        ({"sse2", "avx2"}, True),
        ({"sse2", "avx2", "avx512f", "avx512bw"}, True),
        ({"sse2", "avx2", "avx_vnni"}, False),
        ({"sse2", "avx512bw", "avx512_vnni"}, False),
        ({"asimd", "asimddp"}, False),
        (set(), False),
    ],
)
def test_what_lacks_vnni(monkeypatch, flags, lacks):
    monkeypatch.setattr(module, "read_processor", lambda: ("a processor", frozenset(flags)))
    assert module.lacks_vnni() is lacks
