from __future__ import annotations

import csv
import json
import shutil
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


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Where pip put it."""
    place = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(place), str(wheel)]
    subprocess.run(command, check=True, timeout=120)
    return place


def run_installed(place: Path, code: str, *arguments: str) -> str:
    code = f"import sys; sys.path.insert(0, sys.argv[1]); {code}"
    command = [sys.executable, "-c", code, str(place), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=place, timeout=120).stdout


def test_pip_installs_it(installed):
    code = (
        "import json, viner; from importlib.metadata import distribution as d;"
        "about = d('viner'); print(json.dumps([viner.__file__, about.version, about.metadata.get_all('Provides-Extra'),"
        "about.read_text('entry_points.txt')]))"
    )
    place, version, extras, entry_points = json.loads(run_installed(installed, code))
    assert Path(place).is_relative_to(installed)
    assert version == viner.__version__
    assert {"app", "train", "postgres"} <= set(extras)
    assert "viner = viner.cli:main" in entry_points
    assert (installed / f"viner-{version}.dist-info" / "licenses" / "LICENSE").is_file()


def test_an_installation_packs_what_was_installed_and_nothing_that_somebody_put_there(installed, wheel, tmp_path):
    (installed / "viner" / "samples" / "notes.txt").write_text("call Lan", encoding="utf-8")
    (installed / "viner" / "scratch.py").write_text("TOKEN = 'secret'", encoding="utf-8")
    code = "from pathlib import Path; from viner.publishing.wheel import pack_wheel; print(pack_wheel(Path(sys.argv[2])))"
    again = Path(run_installed(installed, code, str(tmp_path)).strip())
    assert again.read_bytes() == wheel.read_bytes()


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A package in a git repository: two files are tracked, and others lie about."""
    package = tmp_path / "checkout" / "src" / "viner"
    (package / "samples").mkdir(parents=True)
    for name in ("__init__.py", "samples/train.txt", "gone.py"):
        (package / name).write_text("", encoding="utf-8")
    (tmp_path / "checkout" / ".gitignore").write_text("local.py\n", encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path / "checkout", check=True)
    (package / "gone.py").unlink()
    for name in ("new.py", "local.py", "samples/notes.txt", "contacts.db", ".env"):
        (package / name).write_text("secret", encoding="utf-8")
    monkeypatch.setattr(wheels, "_PACKAGE", package)
    return package


def packed(place: Path) -> set[str]:
    """The files of the package in a wheel of it."""
    return {name for name in zipfile.ZipFile(pack_wheel(place)).namelist() if not name.startswith("viner-")}


def test_a_checkout_packs_what_git_tracks_and_the_modules_that_are_new(checkout, tmp_path):
    assert packed(tmp_path) == {"viner/__init__.py", "viner/samples/train.txt", "viner/new.py"}


def test_sources_outside_of_git_are_packed_as_they_are(checkout, tmp_path):
    shutil.rmtree(checkout.parents[1] / ".git")
    assert packed(tmp_path) == {
        *("viner/__init__.py", "viner/samples/train.txt", "viner/new.py"),
        *("viner/local.py", "viner/samples/notes.txt", "viner/contacts.db"),
    }


def test_sources_that_another_repository_ignores_are_packed_as_they_are(checkout, tmp_path):
    (checkout.parents[1] / ".gitignore").write_text("src\n", encoding="utf-8")
    subprocess.run(["git", "rm", "-r", "--quiet", "--cached", "src"], cwd=checkout.parents[1], check=True)
    assert "viner/contacts.db" in packed(tmp_path)


def test_its_metadata_name_what_it_needs(wheel):
    metadata = Parser().parsestr(zipfile.ZipFile(wheel).read(f"viner-{viner.__version__}.dist-info/METADATA").decode())
    assert metadata["Version"] == viner.__version__
    assert any(line.startswith("gradio") and "app" in line for line in metadata.get_all("Requires-Dist"))


def test_an_installation_of_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "__version__", "99.0")
    with pytest.raises(PublishError, match=r"runs as 99\.0"):
        pack_wheel(tmp_path)
