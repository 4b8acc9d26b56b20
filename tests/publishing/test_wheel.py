from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import viner
from viner.publishing import wheel as wheels
from viner.publishing.folder import PublishError
from viner.publishing.wheel import pack_wheel

PACKAGE = Path(viner.__file__).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return pack_wheel(tmp_path_factory.mktemp("wheel"))


def test_it_holds_the_package_without_the_encoder(wheel):
    assert wheel.name == f"viner-{viner.__version__}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"viner/py.typed", "viner/samples/epidemic/train.txt", "viner/base/bundled.py"} <= names
    assert not [name for name in names if name.startswith("viner/base/weights/") or "__pycache__" in name]
    assert wheel.stat().st_size < 3_000_000


def test_the_encoder_comes_along_when_asked_for(tmp_path):
    names = zipfile.ZipFile(pack_wheel(tmp_path / "new", base=True)).namelist()
    assert {path.name for path in (PACKAGE / "base" / "weights").iterdir()} == {
        name.rpartition("/")[2] for name in names if name.startswith("viner/base/weights/")
    }


def test_the_same_files_give_the_same_bytes(wheel, tmp_path):
    assert pack_wheel(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_record_names_every_file_with_its_hash(wheel):
    archive = zipfile.ZipFile(wheel)
    record = f"viner-{viner.__version__}.dist-info/RECORD"
    rows = list(csv.reader(archive.read(record).decode().splitlines()))
    assert sorted(path for path, _, _ in rows) == sorted(archive.namelist())
    assert [path for path, digest, _ in rows if not digest] == [record]
    assert all(int(size) == archive.getinfo(path).file_size for path, digest, size in rows if digest)


def test_pip_installs_it(wheel, tmp_path):
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(tmp_path),
        str(wheel),
    ]
    subprocess.run(command, check=True, timeout=120)
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[1]); import viner; from importlib.metadata import distribution as d;"
        "about = d('viner'); print(json.dumps([viner.__file__, about.version, about.metadata.get_all('Provides-Extra'),"
        "about.read_text('entry_points.txt')]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    place, version, extras, entry_points = json.loads(answer.stdout)
    assert Path(place).is_relative_to(tmp_path)
    assert version == viner.__version__
    assert {"app", "train", "postgres"} <= set(extras)
    assert "viner = viner.cli:main" in entry_points
    assert (tmp_path / f"viner-{version}.dist-info" / "licenses" / "LICENSE").is_file()


def test_its_metadata_name_what_it_needs(wheel):
    metadata = Parser().parsestr(zipfile.ZipFile(wheel).read(f"viner-{viner.__version__}.dist-info/METADATA").decode())
    assert metadata["Version"] == viner.__version__
    assert any(line.startswith("gradio") and "app" in line for line in metadata.get_all("Requires-Dist"))


def test_an_installation_of_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "__version__", "99.0")
    with pytest.raises(PublishError, match=r"runs as 99\.0"):
        pack_wheel(tmp_path)
