from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from viner.corpus import flag_of
from viner.document import Document, Entity
from viner.errors import InputError
from viner.feedback import (
    FeedbackBox,
    FeedbackBusyError,
    FeedbackError,
    FeedbackFullError,
    ReceiptUsedError,
    UnknownReceiptError,
    is_collected,
    make_entry,
    new_receipt,
    read_collected,
)
from viner.feedback import box as module


def entry(text: str = "BN91 ở Hà Nội", receipt: str | None = None, comment: str = "") -> Document:
    answer = Document(text, entities=[Entity(0, 2, "PLACE", score=0.5)])
    return make_entry(answer, receipt=receipt or new_receipt(), comment=comment)


def texts(box: FeedbackBox) -> list[str]:
    return [document.text for document in read_collected(box.path)]


@pytest.fixture
def box(tmp_path: Path) -> FeedbackBox:
    return FeedbackBox.open(tmp_path / "a" / "flagged")


def test_what_was_added_is_there_in_order_for_its_owner_alone(box: FeedbackBox) -> None:
    for text in ("một", "hai\u2028ba", "😷 bốn"):
        box.add(entry(text))
    assert texts(FeedbackBox.open(box.folder)) == ["một", "hai\u2028ba", "😷 bốn"]
    assert len(box) == 3
    assert is_collected(box.path)
    assert stat.S_IMODE(box.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(box.folder.stat().st_mode) == 0o700


def test_sent_twice_under_a_receipt_it_is_kept_once(box: FeedbackBox) -> None:
    receipt = new_receipt()
    box.add(entry("một", receipt, "sai"))
    box.add(entry("một", receipt, "sai"))
    assert texts(box) == ["một"]
    for other in (entry("hai", receipt, "sai"), entry("một", receipt, "đúng")):
        with pytest.raises(ReceiptUsedError):
            box.add(other)
    box.erase(receipt)
    with pytest.raises(ReceiptUsedError):
        box.add(entry("một", receipt, "sai"))
    assert texts(box) == [""]


def test_what_is_erased_is_gone_from_every_file_and_leaves_its_receipt(box: FeedbackBox) -> None:
    receipt = new_receipt()
    for item in (entry("một"), entry("bí mật", receipt, "riêng tư"), entry("ba")):
        box.add(item)
    box.erase(receipt)
    box.erase(receipt)
    assert texts(box) == ["một", "", "ba"]
    assert len(box) == 2
    left = b"".join(path.read_bytes() for path in box.folder.iterdir())
    assert "bí mật".encode() not in left
    assert "riêng tư".encode() not in left
    flag = flag_of(list(read_collected(box.path))[1])
    assert flag is not None
    assert (flag.receipt, flag.erased) == (receipt, True)
    assert stat.S_IMODE(box.path.stat().st_mode) == 0o600


def test_a_receipt_of_nothing_is_said(box: FeedbackBox) -> None:
    with pytest.raises(UnknownReceiptError):
        box.erase(new_receipt())
    box.add(entry())
    with pytest.raises(UnknownReceiptError):
        box.erase(new_receipt())


def test_all_can_be_erased_at_once_even_where_a_line_was_spoiled_by_hand(box: FeedbackBox) -> None:
    receipt = new_receipt()
    for item in (entry("một"), entry("hai", receipt), entry("ba")):
        box.add(item)
    box.erase(receipt)
    with box.path.open("a") as file:
        file.write("{spoiled\n")
    assert box.erase_all() == 3
    assert not box.path.exists()
    assert box.erase_all() == 0
    box.add(entry("bốn"))
    assert texts(box) == ["bốn"]


@pytest.mark.parametrize("cut", [1, 2, 40, 100_000])
def test_a_line_that_a_crash_cut_off_is_neither_read_nor_kept(box: FeedbackBox, cut: int) -> None:
    box.add(entry("một"))
    whole = box.path.read_bytes()
    box.add(entry("ộ" * 70_000))
    content = box.path.read_bytes()
    box.path.write_bytes(content[: max(len(whole), len(content) - cut)] if cut > 1 else content[:-2])
    assert texts(box) == ["một"]
    box.add(entry("hai"))
    assert texts(box) == ["một", "hai"]
    assert box.path.read_bytes().startswith(whole)


def test_a_whole_line_without_its_end_is_read_and_kept(box: FeedbackBox) -> None:
    box.add(entry("một"))
    box.path.write_bytes(box.path.read_bytes()[:-1])
    assert texts(box) == ["một"]
    box.add(entry("hai"))
    assert texts(box) == ["một", "hai"]


def test_a_start_removes_what_crashes_left(box: FeedbackBox) -> None:
    box.add(entry("một"))
    with box.path.open("ab") as file:
        file.write(b'{"id": "flagged-0')
    (box.folder / ".feedback.part").write_bytes("bí mật".encode())
    FeedbackBox.open(box.folder)
    assert box.path.read_bytes().endswith(b"}\n")
    assert sorted(path.name for path in box.folder.iterdir()) == [".feedback.lock", "feedback.jsonl"]


def test_the_quota_holds_and_erasing_makes_room(tmp_path: Path) -> None:
    box = FeedbackBox.open(tmp_path, quota=2_000)
    receipt = new_receipt()
    box.add(entry("a" * 1_200, receipt))
    with pytest.raises(FeedbackFullError):
        box.add(entry("b" * 1_200))
    assert texts(box) == ["a" * 1_200]
    box.erase(receipt)
    box.add(entry("b" * 1_200))
    assert texts(box) == ["", "b" * 1_200]


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, FeedbackFullError), (errno.EIO, FeedbackError)])
def test_what_could_not_be_written_leaves_no_trace(
    box: FeedbackBox, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    box.add(entry("một"))
    before = box.path.read_bytes()
    written = os.write

    def half(handle: int, data: memoryview) -> int:
        if len(data) > 20:
            return written(handle, data[: len(data) // 2])
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "write", half)
        with pytest.raises(error) as caught:
            box.add(entry("hai"))
    assert str(box.folder) not in str(caught.value)
    assert box.path.read_bytes() == before


def test_an_erasing_that_fails_changes_nothing(box: FeedbackBox, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = new_receipt()
    box.add(entry("một", receipt))

    def broken(handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "fsync", broken)
        with pytest.raises(FeedbackError) as caught:
            box.erase(receipt)
    assert caught.value.code == "feedback_failed"
    assert texts(box) == ["một"]
    assert not (box.folder / ".feedback.part").exists()


def test_who_waits_too_long_for_others_is_told(box: FeedbackBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    with FileLock(box.folder / ".feedback.lock"):
        with pytest.raises(FeedbackBusyError):
            box.add(entry())
        with pytest.raises(FeedbackError, match="Another program holds its lock"):
            FeedbackBox.open(box.folder)


def test_a_folder_that_cannot_be_used_is_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below"):
        with pytest.raises(InputError, match="a file, not a folder"):
            FeedbackBox.open(folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "feedback.jsonl").write_text('{"text": "something else"}\n')
    with pytest.raises(InputError, match="holds no flagged answers"):
        FeedbackBox.open(other)
    assert (other / "feedback.jsonl").read_text() == '{"text": "something else"}\n'
    monkeypatch.setattr(module, "RESERVE", 2**60)
    with pytest.raises(FeedbackError, match="kB left"):
        FeedbackBox.open(tmp_path / "new")


def test_a_folder_that_cannot_be_written_is_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(module.os, "open", refused)
    with pytest.raises(FeedbackError, match="flagged answers cannot be kept here: Permission denied") as caught:
        FeedbackBox.open(tmp_path / "new")
    assert caught.value.where == str(tmp_path / "new")


def test_threads_lose_nothing(box: FeedbackBox) -> None:
    receipts = [new_receipt() for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: box.add(entry(f"text {number}", receipts[number])), range(24)))
        list(pool.map(lambda number: box.erase(receipts[number]), range(0, 24, 2)))
    assert sorted(text for text in texts(box) if text) == sorted(f"text {number}" for number in range(1, 24, 2))


_WORKER = """
import sys
from pathlib import Path
from viner.document import Document
from viner.feedback import FeedbackBox, make_entry, new_receipt
box = FeedbackBox.open(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    receipt = new_receipt()
    box.add(make_entry(Document(f"{sys.argv[3]} {number}"), receipt=receipt))
    print(receipt, flush=True)
"""


def test_processes_lose_nothing_and_a_killed_one_loses_nothing_it_had_acknowledged(tmp_path: Path) -> None:
    def start(name: str, count: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _WORKER, str(tmp_path), str(count), name]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    with start("steady", 25) as steady, start("killed", 100_000) as killed:
        assert killed.stdout is not None
        seen = [killed.stdout.readline().strip() for _ in range(5)]
        killed.kill()
        rest, _ = killed.communicate(timeout=60)
        done, _ = steady.communicate(timeout=60)
    acknowledged = [*seen, *(line for line in rest.split("\n") if len(line) == 32), *done.split()]
    kept = {flag.receipt for document in read_collected(FeedbackBox.open(tmp_path).path) if (flag := flag_of(document))}
    assert len(done.split()) == 25
    assert set(acknowledged) <= kept
