from __future__ import annotations

from importlib import metadata

import pytest

from viner.errors import MissingExtraError
from viner.publishing import pins
from viner.publishing.pins import pinned


class Installed:
    """What ``importlib.metadata`` says about a package."""

    def __init__(self, name: str, version: str, *requires: str) -> None:
        self.metadata = {"Name": name}
        self.version = version
        self.requires = list(requires)


@pytest.fixture
def installed(monkeypatch):
    """Replaces what is installed."""

    def install(*packages: Installed) -> None:
        known = {package.metadata["Name"].lower(): package for package in packages}

        def find(name: str) -> Installed:
            try:
                return known[name.lower()]
            except KeyError:
                raise metadata.PackageNotFoundError(name) from None

        monkeypatch.setattr(pins, "distribution", find)

    return install


def names(lines: list[str]) -> set[str]:
    return {line.partition("==")[0].partition("[")[0] for line in lines}


def test_what_is_installed_here_is_pinned_and_nothing_of_training():
    lines = pinned(["app"])
    assert f"gradio=={metadata.version('gradio')}" in lines
    assert {"onnxruntime", "numpy", "uvicorn", "starlette", "jinja2"} <= names(lines)
    assert not {"torch", "transformers", "accelerate", "safetensors", "onnx", "viner"} & names(lines)
    assert lines == sorted(lines)
    assert not [line for line in lines if "+" in line]


def test_all_means_what_recognition_needs():
    assert pinned(["all"]) == pinned(["app", "postgres", "files", "vi"])


def test_the_base_install_has_no_server():
    assert not {"gradio", "fastapi"} & names(pinned([]))


def test_local_versions_training_and_other_systems(installed):
    installed(
        Installed(
            "viner", "1", "a>=1", "b; extra == 'app'", "torch; extra == 'train'", "a; extra == 'train'", "torch; extra == 'all'"
        ),
        Installed("a", "1.2+cpu", "winonly; sys_platform == 'win32'", "linuxonly; sys_platform == 'linux'", "d[fast]"),
        Installed("b", "2"),
        Installed("winonly", "3"),
        Installed("linuxonly", "4"),
        Installed("D", "5", "quick; extra == 'fast'", "slow; extra == 'slow'", "a"),
        Installed("quick", "6"),
        Installed("slow", "7"),
        Installed("torch", "8"),
    )
    assert pinned(["app", "all"]) == ["a==1.2", "b==2", "d[fast]==5", "linuxonly==4", "quick==6"]


def test_what_the_builder_of_spaces_would_contradict_is_left_to_it(installed):
    installed(
        Installed("viner", "1", "gradio"),
        Installed("gradio", "6.1", "pydantic>=2", "pydantic<=2.12; extra == 'mcp'", "authlib; extra == 'oauth'", "other"),
        Installed("pydantic", "2.14", "core==2.50", "other"),
        Installed("core", "2.50"),
        Installed("other", "1"),
    )
    assert pinned([]) == ["gradio==6.1", "other==1"]


def test_an_extra_that_is_not_installed_is_named(installed):
    installed(Installed("viner", "1", "a", "psycopg; extra == 'postgres'"), Installed("a", "1"))
    with pytest.raises(MissingExtraError, match=r"viner\[postgres\]"):
        pinned(["app", "postgres", "files"])


def test_training_is_pinned_when_asked_for_as_the_build_for_processors(installed):
    installed(
        Installed("viner", "1", "a", "torch; extra == 'train'"),
        Installed("a", "1"),
        Installed("torch", "8+cu130", "nvidia-cublas", "triton", "cuda-bindings", "sympy"),
        Installed("nvidia-cublas", "2"),
        Installed("triton", "3"),
        Installed("cuda-bindings", "4"),
        Installed("sympy", "5"),
    )
    assert pinned(["train"]) == ["a==1"]
    assert pinned(["train"], training=True) == ["a==1", "sympy==5", "torch==8"]


def test_beside_nothing_everything_is_pinned():
    assert f"pydantic=={metadata.version('pydantic')}" in pinned(["app"], beside=())
