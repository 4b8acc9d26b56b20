"""A run that is killed at any moment goes on, and its output is that of a run that was not."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pretended import Finder, Killed, Killer

from viner.bulk import Job, Redactor, Report
from viner.bulk import job as room
from viner.bulk.workplace import Journal, Workplace
from viner.errors import InputError, VinerError


@pytest.fixture(scope="module", autouse=True)
def _quick_disk():
    """A process that dies leaves what it wrote, synced or not; only a machine that dies does not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


LINES = [f"Lan và Minh {number} tuổi" for number in range(12)]


def write_inputs(folder: Path) -> None:
    """Two files, bad lines among their first and last ones, and one that is packed."""
    (folder / "in").mkdir(parents=True)
    rows = [json.dumps({"text": line}, ensure_ascii=False) for line in LINES[:6]]
    (folder / "in" / "a.jsonl").write_text("\n".join(["{", *rows[:3], "nichts", *rows[3:], "[]", ""]), encoding="utf-8")
    (folder / "in" / "b.txt.gz").write_bytes(gzip.compress("\n".join(LINES[6:]).encode() + b"\n\xff\n"))


def job(folder: Path, killer=lambda: None, *, out: str = "out.jsonl", redact: bool = False, **options) -> Job:
    step = Redactor(by="pseudonym", key=b"0123456789abcdef") if redact else None
    return Job(
        Finder(watch=killer),
        [folder / "in"],
        folder / out,
        errors=folder / "errors.jsonl",
        step=step,
        block=30,
        tell=lambda sentence: None,
        **options,
    )


def outcome(folder: Path) -> dict[str, bytes]:
    """What a run leaves but its inputs."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().replace(str(folder).encode(), b"")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "in"
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an uninterrupted run leaves, and how many moments it has."""
    runs: dict[tuple[str, bool], tuple[dict[str, bytes], int]] = {}

    def of(out: str, redact: bool) -> tuple[dict[str, bytes], int]:
        if (out, redact) not in runs:
            folder = tmp_path_factory.mktemp("whole") / "run"
            write_inputs(folder)
            killer = Killer(folder, None)
            with pytest.MonkeyPatch.context() as patch:
                killer.watch_disk(patch)
                job(folder, killer, out=out, redact=redact).run()
            runs[out, redact] = outcome(folder), killer.moments
        return runs[out, redact]

    return of


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_run_that_is_killed_at_any_moments_leaves_the_same_as_one_that_is_not(data, whole, tmp_path_factory) -> None:
    out = data.draw(st.sampled_from(["out.jsonl", "out.jsonl.gz", "out.html", "out.conll", "out.csv"]))
    redact = data.draw(st.booleans())
    expected, moments = whole(out, redact)
    folder = tmp_path_factory.mktemp("killed") / "run"
    write_inputs(folder)
    for _ in range(data.draw(st.integers(1, 3))):
        killer = Killer(folder, data.draw(st.integers(1, moments)))
        with pytest.MonkeyPatch.context() as patch:
            killer.watch_disk(patch)
            try:
                job(folder, killer, out=out, redact=redact).run()
            except Killed:
                pass
            else:
                continue  # there were fewer moments left
        killer.restore()
        assert not (folder / out).exists() or (folder / out).read_bytes() == expected[out], "an output that is there is whole"
    job(folder, out=out, redact=redact).run()
    assert outcome(folder) == expected


def test_every_moment_of_a_run_is_one_to_go_on_from(whole, tmp_path) -> None:
    expected, moments = whole("out.jsonl", False)
    again = 0
    for moment in range(1, moments + 1):
        folder = tmp_path / f"{moment}" / "run"
        write_inputs(folder)
        killer = Killer(folder, moment)
        with pytest.MonkeyPatch.context() as patch:
            killer.watch_disk(patch)
            with pytest.raises(Killed):
                job(folder, killer).run()
        killer.restore()
        before = Finder().seen
        second = job(folder)
        report = second.run()
        again += second._recognizer.seen - before
        assert outcome(folder) == expected, moment
        assert report.written.documents == len(LINES)
        assert report.skipped == 4
    assert again < 0.75 * moments * len(LINES), "what was done is not done again"


def test_nothing_is_read_twice_that_lies_in_finished_files(tmp_path, monkeypatch) -> None:
    write_inputs(tmp_path)
    killer = Killer(tmp_path / "in", None)

    def die() -> None:
        killer()
        if killer.moments == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job(tmp_path, die).run()
    opened = []
    source = room.Reader.__init__.__globals__["Source"]
    monkeypatch.setattr("viner.bulk.reader.Source", lambda path, **options: opened.append(path) or source(path, **options))
    job(tmp_path).run()
    assert opened == [str(tmp_path / "in" / "b.txt.gz")]


# What makes a run start anew


class Elsewhere(Finder):
    """The same model on another engine, whose last digits are others."""

    provider = "openvino"


class Frugal(Finder):
    """The same model, of which not every entity is wanted."""

    least_score = 0.9


@pytest.fixture
def interrupted(tmp_path):
    """A folder in which a run was interrupted after some documents, and what the next one says."""
    write_inputs(tmp_path)
    count = 0

    def die() -> None:
        nonlocal count
        count += 1
        if count == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job(tmp_path, die).run()
    assert (tmp_path / "out.jsonl.part" / "journal.json").is_file()
    return tmp_path


def go_on(folder: Path, recognizer=None, **options) -> tuple[list[str], int]:
    """Goes on: what is said, and how many documents were recognized."""
    said: list[str] = []
    finder = recognizer or Finder()
    given = {"errors": folder / "errors.jsonl", "block": 30, **options}
    Job(finder, [folder / "in"], folder / "out.jsonl", tell=said.append, **given).run()
    assert not (folder / "out.jsonl.part").exists()
    return said, finder.seen


def test_the_same_goes_on_and_says_so(interrupted) -> None:
    said, seen = go_on(interrupted)
    assert "Going on with an earlier run" in said[0]
    assert 0 < seen < len(LINES)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recognizer": Finder(version=2)}, "the model changed"),
        ({"recognizer": Elsewhere()}, "the provider changed"),
        ({"recognizer": Frugal()}, "the least score changed"),
        ({"options": {}, "step": Redactor()}, "the options changed"),
        ({"format": "text"}, "the options of reading changed"),
        ({"restart": True}, "as told"),
        ({"block": 31}, "the options changed"),
    ],
)
def test_another_model_or_other_options_start_anew_aloud(interrupted, change, reason) -> None:
    said, seen = go_on(interrupted, **change)
    assert "Starting anew" in said[0]
    assert reason in said[0]
    assert seen >= len(LINES)


def test_a_changed_input_starts_anew_aloud(interrupted) -> None:
    with (interrupted / "in" / "a.jsonl").open("a") as file:
        file.write('{"text": "Nam"}\n')
    said, seen = go_on(interrupted)
    assert "a.jsonl changed" in said[0]
    assert seen == len(LINES) + 1


def test_an_input_that_is_gone_or_new_starts_anew_aloud(interrupted) -> None:
    (interrupted / "in" / "b.txt.gz").unlink()
    said, _ = go_on(interrupted)
    assert "there are other inputs" in said[0]


def test_an_input_that_only_looks_unchanged_starts_anew_aloud(interrupted) -> None:
    path = interrupted / "in" / "a.jsonl"
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"Lan", b"Nam", 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    said, seen = go_on(interrupted)
    assert "Starting anew" in said[-1]
    assert "a.jsonl" in said[-1]
    assert seen == len(LINES)
    assert b"Nam" in (interrupted / "out.jsonl").read_bytes()


def test_without_the_errors_file_a_run_that_skipped_lines_is_not_taken_up(interrupted) -> None:
    with pytest.raises(InputError, match="not JSON"):
        go_on(interrupted, errors=None)
    assert not (interrupted / "out.jsonl").exists()


def test_a_run_that_a_bad_line_ended_goes_on_when_lines_may_be_skipped(tmp_path) -> None:
    rows = "".join(json.dumps({"text": line}) + "\n" for line in LINES)
    (tmp_path / "a.jsonl").write_text(rows + "{\n" + rows)
    said: list[str] = []
    first = Finder(ahead=1)
    with pytest.raises(InputError, match="not JSON"):
        Job(first, [tmp_path / "a.jsonl"], tmp_path / "out.jsonl", block=50, tell=said.append).run()
    assert "are done and kept" in said[0]
    second = Finder(ahead=1)
    Job(second, [tmp_path / "a.jsonl"], tmp_path / "out.jsonl", block=50, errors=tmp_path / "e", tell=said.append).run()
    assert second.seen < 2 * len(LINES)
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 2 * len(LINES)
    assert len((tmp_path / "e").read_bytes().splitlines()) == 1


def test_a_run_that_had_done_nothing_leaves_nothing(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text("{\n")
    with pytest.raises(InputError):
        Job(Finder(), [tmp_path / "a.jsonl"], tmp_path / "out.jsonl").run()
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_standard_input_goes_on_if_the_same_comes_again(tmp_path, monkeypatch) -> None:
    text = "\n".join(LINES).encode()

    def run(content: bytes, recognizer: Finder) -> Job:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": __import__("io").BytesIO(content)})())
        return Job(recognizer, ["-"], tmp_path / "out.jsonl", block=30, tell=lambda sentence: None)

    def die() -> None:
        if broken.seen == 9:
            raise KeyboardInterrupt

    broken = Finder(watch=die)
    with pytest.raises(KeyboardInterrupt):
        run(text, broken).run()
    with pytest.raises(InputError, match="not what the run that is to go on was reading") as caught:
        run(text.replace(b"Lan", b"Nam"), Finder()).run()
    assert "--restart" in (caught.value.hint or "")
    finder = Finder()
    assert run(text, finder).run().resumed > 0
    assert finder.seen < len(LINES)
    assert [json.loads(line)["text"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()] == LINES


def test_pseudonyms_of_a_run_without_a_key_stay_the_same_when_it_goes_on(tmp_path) -> None:
    write_inputs(tmp_path)
    redactors = [Redactor(by="pseudonym") for _ in range(2)]

    def die() -> None:
        if broken.seen == 8:
            raise KeyboardInterrupt

    broken = Finder(watch=die)
    options = {"errors": tmp_path / "errors.jsonl", "block": 30, "tell": lambda sentence: None}
    with pytest.raises(KeyboardInterrupt):
        Job(broken, [tmp_path / "in"], tmp_path / "out.jsonl", step=redactors[0], **options).run()
    assert (tmp_path / "out.jsonl.part").stat().st_mode & 0o077 == 0, "the key is for its owner"
    report = Job(Finder(), [tmp_path / "in"], tmp_path / "out.jsonl", step=redactors[1], **options).run()
    assert report.resumed > 0
    texts = [json.loads(line)["text"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert len({text.split()[0] for text in texts}) == 1
    assert redactors[1].redacted == {"PERSON": 2 * len(LINES), "AGE": len(LINES)}


# Two at once


def test_two_processes_do_not_write_one_output(tmp_path) -> None:
    write_inputs(tmp_path)
    with Workplace(tmp_path / "out.jsonl") as place:
        with pytest.raises(VinerError, match="another process is writing this output") as caught:
            job(tmp_path).run()
        assert caught.value.code == "output_busy"
        assert place.folder.is_dir(), "the other's work stays"
    assert job(tmp_path).run().written.documents == len(LINES)


def test_a_lock_on_a_folder_that_was_removed_meanwhile_is_none(tmp_path, monkeypatch) -> None:
    from viner.bulk import lock

    first = Workplace(tmp_path / "out.jsonl")
    real, calls = lock._lock, []

    def late(file: int) -> None:
        calls.append(file)
        if len(calls) == 1:
            shutil.rmtree(first.folder)  # its holder ends between our opening the file and locking it
            first.close()
        real(file)

    monkeypatch.setattr(lock, "_lock", late)
    with Workplace(tmp_path / "out.jsonl") as second:
        assert (second.folder / "lock").exists()
        assert len(calls) == 2
        with pytest.raises(VinerError, match="another process"):
            Workplace(tmp_path / "out.jsonl")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path) -> None:
    write_inputs(tmp_path)
    (tmp_path / "out.jsonl.part").mkdir()
    (tmp_path / "out.jsonl.part" / "thesis.docx").write_text("x")
    with pytest.raises(InputError, match="something else stands"):
        job(tmp_path).run()
    assert (tmp_path / "out.jsonl.part" / "thesis.docx").read_text() == "x"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"position": 3}', b'{"position": {}, "documents": 1, "what": 2}'])
def test_a_journal_that_cannot_be_read_is_none(tmp_path, content) -> None:
    with Workplace(tmp_path / "out") as place:
        place.begin({"a": 1})
        place.add_document("{}")
        place.journal.documents = 1
        place.mark()
        assert place.earlier() == ({"a": 1}, Journal(documents=1, document_bytes=3))
        (place.folder / "journal.json").write_bytes(content)
        assert place.earlier() is None


@pytest.mark.parametrize("content", [b"", b"[]", b"3"])
def test_a_run_that_cannot_be_read_is_none(tmp_path, content) -> None:
    with Workplace(tmp_path / "out") as place:
        place.begin({"a": 1})
        place.mark()
        assert place.earlier() is not None
        (place.folder / "run.json").write_bytes(content)
        assert place.earlier() is None


# The real thing


@pytest.mark.parametrize("verb", ["predict", "redact"])
def test_a_process_that_is_killed_goes_on(verb, tiny_model, tmp_path) -> None:
    """SIGKILL in the middle of the work, three times, of the real command with a real model."""
    names = ["Lan", "Minh", "Hà Nội", "Nguyễn Văn A", "Paris", "ở nhà", "Huế"]
    lines = [f"{names[k % 7]} gặp {names[k % 5]} lúc {k} giờ, rồi về {names[k % 3]}." for k in range(15_000)]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "key.txt").write_text("a secret of some length")
    options = ["--by", "pseudonym", "--key-file", str(tmp_path / "key.txt")] if verb == "redact" else []

    def start(out: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "viner", verb, str(tiny_model), str(tmp_path / "in.txt"), "--out", str(out), *options]
        return subprocess.Popen(command, stderr=subprocess.PIPE)

    with start(tmp_path / "whole.jsonl") as process:
        assert process.wait(timeout=600) == 0
    out = tmp_path / "out.jsonl"
    journal = tmp_path / "out.jsonl.part" / "journal.json"
    done = -1
    kills = 0
    while kills < 3:
        with start(out) as process:
            # Somewhere in the block behind the next one that is done.
            while process.poll() is None and (_documents(journal) <= done):
                time.sleep(0.005)
            time.sleep(0.02 * kills)
            process.send_signal(signal.SIGKILL)
            if process.wait(timeout=60) != -signal.SIGKILL:
                break  # it was faster
        done = _documents(journal)
        kills += 1
        assert not out.exists()
    assert kills >= 1, "it was never killed"
    with start(out) as process:
        assert process.wait(timeout=600) == 0
        assert process.stderr is not None
        assert b"Going on with an earlier run" in process.stderr.read()
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not (tmp_path / "out.jsonl.part").exists()


def _documents(journal: Path) -> int:
    try:
        return int(json.loads(journal.read_bytes())["documents"])
    except (OSError, ValueError):
        return -1


def test_a_pipe_that_is_not_the_same_is_not_opened_again(tmp_path) -> None:
    """As ``<(zcat a.gz)`` is one: what was read of it is gone."""

    def run(lines: list[str], recognizer: Finder) -> Report:
        reading, writing = os.pipe()
        os.dup2(reading, number)
        os.close(reading)
        os.write(writing, "\n".join(lines).encode())
        os.close(writing)
        options = {"format": "text", "block": 30, "tell": lambda sentence: None}
        return Job(recognizer, [f"/dev/fd/{number}"], tmp_path / "out.jsonl", **options).run()

    def die() -> None:
        if broken.seen == 9:
            raise KeyboardInterrupt

    number = os.dup(0)
    try:
        broken = Finder(watch=die)
        with pytest.raises(KeyboardInterrupt):
            run(LINES, broken)
        with pytest.raises(InputError, match="not what the run that is to go on was reading"):
            run([line.replace("Lan", "Nam") for line in LINES], Finder())
        assert run(LINES, Finder()).resumed > 0
    finally:
        os.close(number)
    assert [json.loads(line)["text"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()] == LINES
