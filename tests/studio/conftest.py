import subprocess
import sys

import pytest

from support.bases import tiny_base, toy_documents
from viner.document import Document
from viner.project import Project
from viner.store import Store
from viner.studio import Studio, background, refreshing, runs
from viner.workflow import choose

TOML = """\
# kept
name = "Trips"
language = "vi"

[[schema.layers]]
name = "entities"
kind = "entities"
types = ["PERSON", "LOCATION"]
"""


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A random encoder. Read it, never change it."""
    return tiny_base(tmp_path_factory.mktemp("bases") / "bert")


_QUICK = """
import sys
from importlib import import_module
module = import_module(sys.argv.pop(1))
if hasattr(module, "train_model"):
    from viner.workflow import choose
    choose.SENTENCES = 60
module.yield_processor = lambda: None
sys.exit(module.main())
"""


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Trainings compare the engines on few sentences, and their processes do not give way to other tests."""

    def spawn(module, *arguments, output):
        with output.open("ab") as file:
            command = [sys.executable, "-c", _QUICK, module, *map(str, arguments)]
            return background.keep(subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True))

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(runs, "spawn", spawn)
        monkeypatch.setattr(refreshing, "spawn", spawn)
        monkeypatch.setattr(choose, "SENTENCES", 60)
        yield


@pytest.fixture
def project(tmp_path):
    """A project without documents."""
    return make_project(tmp_path / "trips")


@pytest.fixture
def annotated(project):
    """A project with done documents in all splits, and some that wait."""
    return annotate(project)


def make_project(folder):
    folder.mkdir()
    (folder / "viner.toml").write_text(TOML, encoding="utf-8")
    return Project(folder)


def annotate(project):
    with Store.of_project(project) as store:
        for split, count, seed in (("train", 60, 1), ("dev", 12, 2), ("test", 6, 3)):
            store.add(toy_documents(count, seed), who="import", split=split)
        store.add([Document(f"Lan đi Huế {n}.", id=f"todo-{n}") for n in range(8)], who="import", split="train")
    return project


@pytest.fixture(scope="module")
def finished(tmp_path_factory, base, quick):
    """A studio and its finished run, which the button started. Look at them, change nothing."""
    project = annotate(make_project(tmp_path_factory.mktemp("finished") / "trips"))
    with Studio.open(project, follow=False) as studio:
        run = studio.runs.start(base=str(base), epochs=2, learning_rate=3e-3, head_multiplier=3.0, precision="fp32")
        yield studio, studio.runs.wait(run.name)


@pytest.fixture
def open_studio():
    """Opens studios that look at the disk when they are told to, and closes them."""
    opened = []

    def opening(project):
        opened.append(Studio.open(project, follow=False))
        return opened[-1]

    yield opening
    for studio in opened:
        for run in studio.runs.list():
            if run.active:
                studio.runs.stop(run.name)
                studio.runs.wait(run.name)
        studio.refreshing.wait()
        studio.close()
