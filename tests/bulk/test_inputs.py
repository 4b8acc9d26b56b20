from __future__ import annotations

import os
from pathlib import Path

import pytest

from viner.bulk import find_inputs
from viner.cli.streams import check_output
from viner.errors import InputError, UsageError, VinerError
from viner.formats import read
from viner.publishing.folder import new_folder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name in (
        "b.txt",
        "a.csv.gz",
        "sub/b.txt.zst",
        "sub/c.parquet",
        "x.png",
        "page.html",
        ".hidden.txt",
        ".git/a.txt",
        "out.jsonl.part/lock",
        "out.jsonl.part/run.json",
        "out.jsonl.part/notes.txt",
    ):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_is_all_below_it_that_is_read_in_order(folder) -> None:
    inputs = find_inputs(["in"])
    assert [file.path for file in inputs.files] == ["in/a.csv.gz", "in/b.txt", "in/sub/b.txt.zst", "in/sub/c.parquet"]
    assert [file.stem for file in inputs.files] == ["a", "b", "sub/b", "sub/c"]
    assert inputs.passed_over == ("in/page.html", "in/x.png")


def test_a_folder_is_no_working_folder_for_its_name_alone(folder) -> None:
    (folder / "in" / "vol1.part").mkdir()
    (folder / "in" / "vol1.part" / "v.txt").write_bytes(b"x")
    assert "in/vol1.part/v.txt" in [file.path for file in find_inputs(["in"]).files]
    assert "in/vol1.part/v.txt" in [file.path for file in find_inputs(["in/**/*.txt"]).files]


def test_a_working_folder_that_cannot_be_looked_into_or_goes_is_none_to_read(folder, monkeypatch) -> None:
    (folder / "in" / "gone.part").mkdir()
    looked = Path.is_file

    def is_file(path: Path) -> bool:
        if path.parent.name == "gone.part":
            raise PermissionError(13, "Permission denied")
        return looked(path)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert [file.path for file in find_inputs(["in/**/*.txt"]).files] == ["in/b.txt"]


def test_patterns_are_expanded_as_a_shell_would(folder) -> None:
    assert [file.path for file in find_inputs(["in/*.txt", "in/**/*.zst"]).files] == ["in/b.txt", "in/sub/b.txt.zst"]
    with pytest.raises(InputError, match="no file matches"):
        find_inputs(["in/*.jsonl"])


def test_files_are_taken_whatever_they_are_called(folder) -> None:
    (folder / "[1].md").write_text("x")
    assert [file.path for file in find_inputs(["[1].md", "in/page.html", "-"]).files] == ["[1].md", "in/page.html", "-"]


def test_files_of_the_same_name_give_different_ids(folder) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "b.txt").write_text("x")
    (folder / "b.jsonl").write_text("x")
    stems = [file.stem for file in find_inputs(["in/b.txt", "other/b.txt", "b.jsonl", "b.jsonl"]).files]
    assert len(set(stems)) == 3
    assert stems[:2] == ["in/b.txt", "other/b.txt"]


def test_what_the_run_writes_is_no_input(folder) -> None:
    assert "in/b.txt" not in [file.path for file in find_inputs(["in"], outputs=[Path("in/b.txt")]).files]
    with pytest.raises(UsageError, match="would write it"):
        find_inputs(["in/b.txt"], outputs=[folder / "in" / "b.txt"])


@pytest.mark.parametrize(
    ("given", "message"), [(["no.txt"], "no such file"), (["empty"], "holds no file"), (["-", "-"], "only once")]
)
def test_inputs_that_are_not_there(folder, given, message) -> None:
    (folder / "empty").mkdir()
    with pytest.raises((InputError, UsageError), match=message):
        find_inputs(given)


def test_what_runs_are_at_work_on_matches_no_pattern_unless_it_is_named(folder) -> None:
    (folder / "in" / "out.jsonl.part" / "documents.jsonl").write_bytes(b"x")
    (folder / "in" / "a.jsonl").write_bytes(b"x")
    assert [file.path for file in find_inputs(["in/**/*.jsonl"]).files] == ["in/a.jsonl"]
    with pytest.raises(InputError, match="no file matches"):
        find_inputs(["in/*/*.jsonl"])
    for pattern in ("in/out.jsonl.part/*.jsonl", "in/*.part/*.jsonl"):
        assert [file.path for file in find_inputs([pattern]).files] == ["in/out.jsonl.part/documents.jsonl"]


def test_links_to_folders_and_what_is_no_file_are_told(folder) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "e.txt").write_bytes(b"x")
    (folder / "in" / "link").symlink_to(elsewhere)
    (folder / "in" / "gone.txt").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "in" / "pipe.txt")
    inputs = find_inputs(["in"])
    assert not {"in/link/e.txt", "in/gone.txt", "in/pipe.txt"} & {file.path for file in inputs.files}
    assert {"in/link", "in/gone.txt", "in/pipe.txt"} <= {*inputs.passed_over}
    (folder / "in" / "loop").symlink_to(folder / "in")
    assert [file.path for file in find_inputs(["in/**/b.txt"]).files] == ["in/b.txt"]
    assert [file.path for file in find_inputs(["in/link/*.txt"]).files] == ["in/link/e.txt"]


def test_a_folder_that_cannot_be_looked_into_is_an_error(folder, monkeypatch) -> None:
    def scandir(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return looked(path)

    looked = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match="cannot be read") as caught:
        find_inputs(["in"])
    assert str(caught.value.where).endswith("sub")


def test_a_link_that_leads_to_itself_is_no_file_and_no_fault_of_ours(tmp_path, monkeypatch) -> None:
    """Which ``Path.resolve`` of Python 3.12 and before ends with a RuntimeError."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Lan", encoding="utf-8")
    (tmp_path / "in" / "loop.txt").symlink_to("loop.txt")
    inputs = find_inputs(["in", "in/*.txt"], outputs=[Path("in/loop.txt")])
    assert ([file.path for file in inputs.files], inputs.passed_over) == (["in/a.txt"], ())
    assert find_inputs(["in"], outputs=[Path("out.jsonl")]).passed_over == ("in/loop.txt",)
    with pytest.raises(InputError, match="no such file"):
        find_inputs(["in/loop.txt"])
    with pytest.raises(InputError, match="cannot be read"):
        list(read("in/loop.txt"))
    check_output(Path("in/loop.txt"), "in/a.txt")
    with pytest.raises(UsageError, match="would write it"):
        check_output(Path("in/loop.txt"), "in/loop.txt")
    with pytest.raises(VinerError, match="cannot be written"), new_folder(Path("in/loop.txt"), kind="docker"):
        pass


def test_a_file_that_several_names_stand_for_is_read_once(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "in" / name).write_text("Lan", encoding="utf-8")
    (tmp_path / "in" / "c.txt").symlink_to(tmp_path / "in" / "a.txt")
    inputs = find_inputs(["in/b.txt", "in", "in/*.txt", str(tmp_path / "in" / "a.txt"), "./in/../in/b.txt"])
    assert [file.path for file in inputs.files] == ["in/b.txt", "in/a.txt", "in/c.txt"]
    assert inputs.repeated == ("in/b.txt", "in/a.txt", "in/c.txt")
    assert find_inputs(["in/a.txt", "in/b.txt"]).repeated == ()
