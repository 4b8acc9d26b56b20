"""The wheel alone works in a clean environment, for the base install and for each extra."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.environments import Environment
from viner.publishing.wheel import pack_wheel

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

ROOT = Path(__file__).parents[2]

# What must work after `pip install viner[extra]`, and what must say which extra it needs.
IMPORTS = {
    "": ["viner", "viner.formats", "viner.corpus", "viner.evaluation", "viner.runtime", "viner.rules"],
    "app": ["viner.server", "viner.console", "viner.annotator", "viner.annotation", "viner.store", "viner.studio", "gradio"],
    "train": ["viner.training", "viner.workflow", "torch"],
}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel that VINER_WHEEL names, or a new one."""
    if built := os.environ.get("VINER_WHEEL"):
        return Path(built)
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)], check=True, timeout=300)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_encoder_the_corpus_and_nothing_of_the_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "viner/py.typed" in names
    for folder in ("viner/base/", "viner/samples/"):
        assert [name for name in names if name.startswith(folder) and not name.endswith(".py")], f"no data in {folder}"
    assert [name for name in names if name.startswith(("tests", "benchmarks")) or "__pycache__" in name] == []
    assert {name for name in names if name.endswith(("licenses/LICENSE", "licenses/NOTICE"))}


def test_the_wheel_is_small_enough_to_carry_its_encoder(wheel):
    assert wheel.stat().st_size < 30_000_000


def test_the_wheel_that_viner_packs_of_itself_is_this_one_without_the_encoder(wheel, tmp_path):
    def content(path: Path) -> dict[str, bytes]:
        archive = zipfile.ZipFile(path)
        own = (".dist-info/RECORD", ".dist-info/WHEEL")  # the list of files, and who packed them
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith(own)}

    built, packed = content(wheel), content(pack_wheel(tmp_path))
    assert sorted(packed) == sorted(name for name in built if not name.startswith("viner/base/weights/"))
    assert [name for name in packed if packed[name] != built[name]] == []


@pytest.mark.parametrize("extras", [("", "train"), ("app",)], ids=" then ".join)
def test_a_clean_environment_needs_the_wheel_only(wheel, extras, tmp_path, tiny_model):
    """An extra that comes on top of the base install needs what it needs without: nothing else is there."""
    environment = Environment(tmp_path / "venv")
    scripts = environment.scripts

    def run(*command: str) -> str:
        # Away from the checkout, so that nothing but the wheel can be imported.
        process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
        assert process.returncode == 0, process.stderr
        return process.stdout

    for extra in extras:
        if extra == "train":
            environment.install("torch")
        environment.install(f"{wheel}[{extra}]" if extra else wheel)
        assert "predict" in run(str(scripts / "viner"), "--help")
        assert '"viner"' in run(str(scripts / "viner"), "doctor", "--json")
        run(str(scripts / "python"), "-c", "\n".join(f"import {module}" for module in IMPORTS[extra]))
        if not extra:
            check_the_base_install(scripts, tmp_path, tiny_model)


def check_the_base_install(scripts: Path, folder: Path, model: Path) -> None:
    """No torch came along, files can be worked on, rules recognize, a model page made, and what needs an extra names it."""
    code = "from importlib.util import find_spec as f; print([n for n in ('torch', 'transformers', 'gradio', 'onnx') if f(n)])"
    assert subprocess.check_output([scripts / "python", "-c", code], text=True).strip() == "[]"
    (folder / "train.conll").write_text("Huế\tB-LOC\n\n", encoding="utf-8")
    assert '"entities": 1' in subprocess.check_output(
        [scripts / "viner", "stats", "train.conll", "--json"], cwd=folder, text=True
    )
    (folder / "rules.toml").write_text("[[rules.patterns]]\nlabel = 'ID'\npattern = 'BN[0-9]+'\nrecognize = 'over'\n")
    (folder / "notes.txt").write_text("BN12\n")
    predict = [scripts / "viner", "predict", model, "notes.txt", "--rules", "rules.toml"]
    assert '"source": "pattern"' in subprocess.check_output(predict, cwd=folder, text=True, timeout=60)
    subprocess.run([scripts / "viner", "publish", "hub", model, "--repo", "user/page"], cwd=folder, check=True, timeout=60)
    assert (folder / "page" / "README.md").is_file()
    for extra, command in {
        "train": ["train", "--train", "train.conll", "--out", "model"],
        "app": ["publish", "space", model, "--repo", "user/space"],
    }.items():
        process = subprocess.run(
            [scripts / "viner", *command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert process.returncode == 1
        assert f"viner[{extra}]" in process.stderr
        assert "Traceback" not in process.stderr
