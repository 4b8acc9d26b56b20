"""Recognition on a Ray cluster of this machine, with real processes that are really killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

import viner
from support.systems import needs_system
from viner.document import Document
from viner.errors import BundleError, FormatError, InputError, UsageError
from viner.scale import ClusterError, RayRecognizer, session

pytestmark = [needs_system("ray"), pytest.mark.xdist_group("ray")]

SECRET = "Xyzzyplugh"
NFD = unicodedata.normalize("NFD", "Nguyễn Văn A ở Huế")


def texts(count: int, seed: int = 0) -> list[str]:
    """Random texts: some empty, some long, with names and with what tends to shift offsets."""
    rng = random.Random(seed)
    words = [
        "Lan",
        "Nam",
        "Nguyễn Văn A",
        "Hà Nội",
        "Huế",
        "và",
        "ở",
        "😷",
        "\r\n",
        "\u2028",
        unicodedata.normalize("NFD", "Huế"),
    ]
    return [" ".join(rng.choices(words, k=rng.choice((0, 1, 5, 20, 400)))) for _ in range(count)]


def processes(name: str) -> list[psutil.Process]:
    """Ray's processes on this machine that do something of that name."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if " ".join(process.cmdline()).startswith(f"ray::{name}"):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def recognizer(silent_model):
    # A model that leaves out all entities, if nobody says otherwise.
    with RayRecognizer(silent_model, workers=2, address="local", least_score=0) as ray:
        list(ray.stream(["Lan"]))
        yield ray


@pytest.fixture(scope="module")
def local(silent_model):
    return viner.load(silent_model, least_score=0)


def test_answers_are_those_of_this_machine_in_order(recognizer, local):
    items = [Document(text, id=str(i), meta={"n": i}) for i, text in enumerate(texts(400))]
    items.append(Document("Lan ở Huế", words=[(0, 3)]))
    answered = list(recognizer.stream(items))
    assert answered == list(local.stream(items))
    assert answered[7].meta == {"n": 7}
    assert sum(len(document.entities) for document in answered) > 400
    assert recognizer.least_score == 0


def test_it_looks_like_a_recognizer_of_this_machine(recognizer, local):
    assert recognizer.schema == local.schema
    assert list(recognizer.stream([])) == []


@pytest.mark.parametrize("name", ["MapWorker(", "ReadChunks", "Feed"])
def test_a_killed_process_changes_nothing(name, recognizer, local, caplog):
    items = texts(3600 if name == "MapWorker(" else 1200, seed=1)
    alive = set()

    def fed():
        for number, item in enumerate(items):
            # Ten chunks are dealt out when two have been answered, fewer texts than these. What comes now is also for the one
            # that takes the place of the lost worker.
            if name == "MapWorker(" and number == 1200:
                deadline = time.monotonic() + 60
                while {process.pid for process in processes(name)} <= alive and time.monotonic() < deadline:
                    time.sleep(0.05)
            yield item

    answered = []
    for document in recognizer.stream(fed()):
        answered.append(document)
        if len(answered) == 150:
            alive |= {process.pid for process in processes(name)}
            processes(name)[0].send_signal(signal.SIGKILL)
    assert answered == list(local.stream(items))
    if name == "MapWorker(":
        assert "a worker was lost" in caplog.text


def test_the_input_is_read_as_far_as_workers_need_it(recognizer):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield "Lan ở Huế " * 1000

    stream = recognizer.stream(endless())
    for _ in range(20):
        next(stream)
    stream.close()
    assert read < 20 + 200


def test_after_a_stream_that_was_left_another_begins(recognizer, local):
    stream = recognizer.stream(texts(300))
    next(stream)
    with pytest.raises(UsageError, match="another stream"):
        next(recognizer.stream(["Lan"]))
    stream.close()
    assert recognizer("Nam ở Huế") == local("Nam ở Huế")


def test_an_error_of_the_reader_comes_through(recognizer):
    def lines():
        yield "Lan"
        raise FormatError("not JSON", where="notes.jsonl:2")

    stream = recognizer.stream(lines())
    assert next(stream).text == "Lan"
    with pytest.raises(FormatError) as caught:
        next(stream)
    assert caught.value.where == "notes.jsonl:2"


def test_nothing_listens_beyond_this_machine(recognizer):
    listening = []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            listening += [each.laddr.ip for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    assert listening
    assert {ip for ip in listening if ip not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")} == set()


def test_a_bad_text_ends_the_stream_with_its_own_error_and_no_text_stands_in_the_logs_of_ray(recognizer, capfd):
    import ray

    stream = recognizer.stream([*[f"{SECRET} ở Huế"] * 50, f"{SECRET} \ud800"])
    assert [next(stream).text for _ in range(50)] == [f"{SECRET} ở Huế"] * 50
    with pytest.raises(InputError, match="lone surrogate") as caught:
        next(stream)
    assert caught.value.where == "text"
    logs = Path(ray._private.worker._global_node.get_logs_dir_path())
    assert any(logs.rglob("*.log"))
    assert [file.name for file in logs.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()] == []
    assert capfd.readouterr() == ("", "")


def test_the_cluster_that_another_program_runs_for_itself_is_not_joined(recognizer, tmp_path, monkeypatch):
    """It ends with that program, whenever that is."""
    import ray

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    ours = ray.get_runtime_context().gcs_address
    program = (
        "from viner.scale.session import connect, ray_module\n"
        "print(connect(None, 1, 0), ray_module().get_runtime_context().gcs_address)"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180, check=True)
    started, theirs = other.stdout.split()
    assert started == "True"
    assert theirs != ours
    (tmp_path / "ray_current_cluster").write_text(ours)  # as `ray start` leaves word of one
    monkeypatch.setattr("ray._private.utils.get_ray_address_file", lambda folder=None: str(tmp_path / "ray_current_cluster"))
    assert session._announced(ray) == ours
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert session._announced(ray) == "10.0.0.1:6379"


def test_signals_of_the_process_are_its_own(recognizer):
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_workers_stay_from_call_to_call_and_after_an_error_of_the_reader(recognizer, local):
    run = recognizer._run
    assert recognizer("Lan") == local("Lan")
    first = recognizer._run
    assert first is not None
    assert recognizer("Nam ở Huế") == local("Nam ở Huế")
    with pytest.raises(InputError, match="lone surrogate"):
        list(recognizer.stream(["Lan", "\ud800"]))
    assert recognizer._run is first
    assert run in (None, first)


def test_an_address_elsewhere_is_not_passed_over(recognizer, tiny_model):
    with pytest.raises(UsageError, match="connected to another Ray cluster"):
        RayRecognizer(tiny_model, address="10.255.255.1:6379")
    with pytest.raises(UsageError, match="Ray client"):
        RayRecognizer(tiny_model, address="ray://10.255.255.1:10001")
    with pytest.raises(UsageError, match="not one string"):
        list(recognizer.stream("Huế"))


def test_what_cannot_be_is_refused(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="not between 0 and 1"):
        RayRecognizer(tiny_model, least_score=2)
    with pytest.raises(UsageError, match="workers must be at least 1"):
        RayRecognizer(tiny_model, workers=0)
    with pytest.raises(BundleError, match="no such model folder"):
        RayRecognizer(tmp_path / "none")


class TestWorker:
    """What an actor does with what it cannot do."""

    def answer(self, worker):
        import pyarrow

        (row,) = worker(pyarrow.table({"chunk": [3], "documents": [['{"text":"Lan"}']]})).to_pylist()
        return row

    def test_another_version_of_viner_is_told_to_the_caller(self):
        from viner.scale.worker import Worker

        row = self.answer(Worker("0.0.0", [], 1))
        assert row["chunk"] == 3
        assert "viner 0.0.0" not in row["documents"]
        assert '"cluster_failed"' in row["error"]
        assert socket.gethostname() in row["error"]

    def test_a_model_that_did_not_arrive_is_told_without_a_trace(self):
        from viner.scale.worker import Worker
        from viner.version import __version__

        assert "cannot load the model" in self.answer(Worker(__version__, ["no reference"], 1))["error"]


def test_one_that_was_closed_says_so_and_others_go_on(recognizer, local, tiny_model):
    with RayRecognizer(tiny_model, workers=1) as other:
        left = other.stream(["Lan"])
    with pytest.raises(UsageError, match="was closed"):
        next(left)
    with pytest.raises(UsageError, match="was closed"):
        other("Lan")
    other.close()
    assert recognizer("Nam ở Huế") == local("Nam ở Huế")


class TestSession:
    """Who ends the cluster that was started for several."""

    @pytest.fixture
    def ray(self, monkeypatch):
        """A cluster that is up if it was started, and its name."""
        state = SimpleNamespace(up=False, name="here", started=0)

        def connect(address, cores, model_bytes):
            started, state.up = not state.up, True
            state.started += started
            return started

        monkeypatch.setattr(session.Session, "_own", None)
        monkeypatch.setattr(session.Session, "_users", set())
        monkeypatch.setattr(session, "connect", connect)
        monkeypatch.setattr(session, "_cluster", lambda: state.name)
        monkeypatch.setattr(session, "disconnect", lambda: setattr(state, "up", False))
        monkeypatch.setattr(session, "ray_module", lambda: SimpleNamespace(is_initialized=lambda: state.up))
        return state

    def test_it_ends_with_the_last_one_whoever_that_is(self, ray):
        first, second = session.Session(None, 1, 0), session.Session(None, 1, 0)
        first.close()
        first.close()
        assert ray.up
        second.check()
        second.close()
        assert not ray.up
        third = session.Session(None, 1, 0)
        assert (ray.up, ray.started) == (True, 2)
        second.close()
        assert ray.up, "it is not theirs"
        third.close()
        assert not ray.up

    def test_a_cluster_of_somebody_else_stays(self, ray):
        ray.up = True
        session.Session(None, 1, 0).close()
        assert ray.up

    def test_a_connection_that_somebody_ended_is_told_before_ray_starts_anew(self, ray):
        one = session.Session(None, 1, 0)
        ray.up = False
        with pytest.raises(ClusterError, match="connection to the cluster was ended"):
            one.check()
        ray.up, ray.name = True, "elsewhere"
        with pytest.raises(ClusterError, match="was ended"):
            one.check()
        one.close()
        assert ray.up, "it is another one"


def test_a_client_address_is_refused_wherever_it_is_named(tiny_model, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "ray://127.0.0.1:1")
    with pytest.raises(UsageError, match="RAY_ADDRESS=ray://127"):
        RayRecognizer(tiny_model)


def test_a_cluster_that_does_not_answer(tiny_model, monkeypatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: (_ for _ in ()).throw(ConnectionError("nobody there\nmore")))
    with pytest.raises(ClusterError, match="no Ray cluster answers \\(nobody there\\)") as caught:
        RayRecognizer(tiny_model, address="127.0.0.1:1")
    assert caught.value.where == "127.0.0.1:1"
    with pytest.raises(UsageError, match="ray://"):
        RayRecognizer(tiny_model, address="ray://127.0.0.1:10001")


def test_without_ray_the_extra_is_named(tiny_model, monkeypatch):
    from viner.errors import MissingExtraError

    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError) as caught:
        RayRecognizer(tiny_model)
    assert caught.value.extra == "ray"
