"""A change of what users import is made on purpose: this snapshot has to change with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import viner


def test_public_names():
    assert viner.__all__ == ["Document", "Entity", "Project", "Relation", "Schema", "__version__", "load"]


@pytest.mark.parametrize("name", viner.__all__)
def test_every_public_name_resolves_and_is_listed(name):
    assert getattr(viner, name) is not None
    assert name in dir(viner)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        viner.nothing  # noqa: B018


def test_importing_viner_imports_none_of_its_rooms():
    code = "import sys, viner; print([name for name in sys.modules if name.startswith('viner.')])"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert process.stdout.strip() == "['viner.version']"


def test_recognizing_needs_neither_torch_nor_a_web_server():
    code = (
        "import sys, viner.runtime, viner.evaluation, viner.formats, viner.bundle\n"
        "heavy = {'torch', 'transformers', 'accelerate', 'onnx', 'gradio', 'fastapi'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 0, process.stderr


def test_the_package_is_typed_and_its_version_is_the_installed_one():
    from importlib.metadata import version
    from importlib.resources import files

    assert (files("viner") / "py.typed").is_file()
    assert viner.__version__ == version("viner")
