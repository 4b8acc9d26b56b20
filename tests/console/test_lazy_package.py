from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from viner.console.lazy_package import defer

SERVER = Path(__file__).parents[1] / "server"
NAME = "viner_test_package"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes a package of that name, which notes how often it is loaded, and has it wait."""
    monkeypatch.syspath_prepend(tmp_path)
    loaded: list[str] = []
    monkeypatch.setattr(sys, "viner_test_loaded", loaded, raising=False)

    def make(code: str = "", part: str = "") -> list[str]:
        (tmp_path / NAME).mkdir()
        (tmp_path / NAME / "__init__.py").write_text(f"import sys\nsys.viner_test_loaded.append(__name__)\n{code}\n")
        (tmp_path / NAME / "part.py").write_text(f"import sys\nsys.viner_test_loaded.append(__name__)\n{part}\n")
        importlib.invalidate_caches()
        defer(NAME)
        return loaded

    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def test_it_is_loaded_with_the_first_thing_that_somebody_takes_from_it(package) -> None:
    loaded = package("answer = 42")
    for _ in range(2):
        module = importlib.import_module(NAME)
    assert not hasattr(module, "__wrapped__")  # which those ask who look at all modules
    assert loaded == []
    assert module.answer == 42
    assert module.answer == 42
    assert loaded == [NAME]
    with pytest.raises(AttributeError, match="nothing"):
        module.nothing  # noqa: B018


def test_names_can_be_imported_from_it(package) -> None:
    package("answer = 42")
    found: dict[str, int] = {}
    exec(f"from {NAME} import answer", found)
    assert found["answer"] == 42


def test_it_comes_before_its_parts_and_knows_them_while_it_is_loaded(package) -> None:
    loaded = package("from viner_test_package.part import half\nanswer = 2 * half", "half = 21")
    part = importlib.import_module(f"{NAME}.part")
    assert loaded == [NAME, f"{NAME}.part"]
    assert part is sys.modules[NAME].part
    assert sys.modules[NAME].answer == 42


def test_what_it_lacks_while_it_is_loaded_is_not_there(package) -> None:
    package("import viner_test_package as own\nearly = hasattr(own, 'late')\nlate = True")
    module = importlib.import_module(NAME)
    assert (module.early, module.late) == (False, True)


def test_many_threads_load_it_once_and_none_sees_half_of_it(package) -> None:
    loaded = package("import time\ntime.sleep(0.2)\nanswer = 42")
    module = importlib.import_module(NAME)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(module.answer)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [42] * 8
    assert loaded == [NAME]


def test_one_that_fails_says_so_each_time(package) -> None:
    package("raise ImportError('built for another numpy')")
    module = importlib.import_module(NAME)
    for _ in range(2):
        with pytest.raises(ImportError, match="another numpy"):
            module.answer  # noqa: B018


def test_what_is_there_or_nowhere_stays_as_it_is() -> None:
    here = sys.modules["json"]
    defer("json")
    assert sys.modules["json"] is here
    defer("viner_no_such_package")
    assert "viner_no_such_package" not in sys.modules


def test_a_server_answers_its_page_and_its_programs_without_pandas() -> None:
    pytest.importorskip("pandas")
    code = f"""
import sys
sys.path.insert(0, {str(SERVER)!r})
from fakes import FakeRecognizer
from fastapi.testclient import TestClient
from viner.server import Settings, create_app
with TestClient(create_app(FakeRecognizer(), Settings())) as client:
    assert "gradio" in client.get("/en/").text
    assert client.post("/api/v1/recognize", json={{"texts": ["Lan"]}}).status_code == 200
assert "gradio" in sys.modules
print("pandas._libs" in sys.modules, "pyarrow" in sys.modules)
import pandas
assert pandas.DataFrame({{"a": [1]}}).a.sum() == 1
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False False"
