from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from viner.errors import InputError
from viner.publishing.folder import MARKER, PublishError, new_folder
from viner.version import __version__


def publish(target: Path, text: str = "new", **options) -> None:
    with new_folder(target, kind="space", **options) as folder:
        (folder / "README.md").write_text(text, encoding="utf-8")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_takes_its_place_with_a_marker(tmp_path):
    publish(tmp_path / "deep" / "space")
    assert left_in(tmp_path / "deep") == ["space"]
    assert (tmp_path / "deep" / "space" / "README.md").read_text() == "new"
    assert json.loads((tmp_path / "deep" / "space" / MARKER).read_text()) == {
        "kind": "space",
        "viner": __version__,
        "files": {"README.md": sha256(b"new").hexdigest()},
    }


def test_others_may_read_it_as_any_new_folder(tmp_path):
    publish(tmp_path / "space")
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (tmp_path / "space").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_after_a_failure_everything_is_as_it_was(tmp_path, failure):
    target = tmp_path / "space"
    publish(target, "old")

    def fail() -> None:
        with new_folder(target, kind="space", force=True) as folder:
            (folder / "README.md").write_text("half", encoding="utf-8")
            raise failure

    with pytest.raises(failure):
        fail()
    assert left_in(tmp_path) == ["space"]
    assert (target / "README.md").read_text() == "old"


def test_an_interrupted_rename_puts_the_old_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "space"
    publish(target, "old")
    rename = Path.rename

    def interrupted(self, other):
        if Path(other) == target and not self.name.endswith("-old"):
            raise KeyboardInterrupt
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(target, force=True)
    assert left_in(tmp_path) == ["space"]
    assert (target / "README.md").read_text() == "old"


def test_what_was_published_is_replaced_by_force_only(tmp_path):
    publish(tmp_path / "space", "old")
    with pytest.raises(InputError, match="--force"):
        publish(tmp_path / "space")
    publish(tmp_path / "space", force=True)
    assert (tmp_path / "space" / "README.md").read_text() == "new"
    assert left_in(tmp_path) == ["space"]


@pytest.mark.parametrize("marker", ['{"kind": "docker"}', "{}", "[]", "half"])
def test_force_does_not_replace_another_kind(tmp_path, marker):
    target = tmp_path / "docker"
    target.mkdir()
    (target / MARKER).write_text(marker, encoding="utf-8")
    (target / ".env").write_text("POSTGRES_PASSWORD=secret", encoding="utf-8")
    with pytest.raises(InputError, match="another kind"):
        publish(target, force=True)
    assert left_in(tmp_path) == ["docker"]
    assert left_in(target) == [".env", MARKER]


@pytest.mark.parametrize("name", ["CNAME", "project/viner.db"])
def test_force_does_not_remove_what_somebody_put_there(tmp_path, name):
    target = tmp_path / "space"
    publish(target, "old")
    (target / name).parent.mkdir(exist_ok=True)
    (target / name).write_text("work of months", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(InputError, match=f"did not put there: {name}"):
            publish(target, force=force)
    assert (target / name).read_text() == "work of months"
    assert (target / "README.md").read_text() == "old"


@pytest.mark.parametrize("force", [False, True])
def test_what_somebody_edited_is_not_lost(tmp_path, force):
    target = tmp_path / "space"
    publish(target, "old")
    (target / "README.md").write_text("edited", encoding="utf-8")
    with pytest.raises(InputError, match=r"edited what viner put there: README\.md") as refused:
        publish(target, force=force)
    assert "Move the edited files elsewhere" in refused.value.hint
    assert (target / "README.md").read_text() == "edited"
    assert left_in(tmp_path) == ["space"]


def test_edits_that_were_moved_away_are_no_hindrance(tmp_path):
    target = tmp_path / "space"
    publish(target, "old")
    (target / "README.md").write_text("edited", encoding="utf-8")
    (target / "README.md").rename(tmp_path / "mine.md")
    publish(target, force=True)
    assert (target / "README.md").read_text() == "new"
    assert (tmp_path / "mine.md").read_text() == "edited"


def test_a_folder_of_an_earlier_viner_which_noted_names_alone_is_replaced(tmp_path):
    target = tmp_path / "space"
    publish(target, "old")
    (target / MARKER).write_text(json.dumps({"kind": "space", "files": ["README.md"]}), encoding="utf-8")
    (target / "CNAME").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="did not put there: CNAME"):
        publish(target, force=True)
    (target / "CNAME").unlink()
    publish(target, force=True)
    assert (target / "README.md").read_text() == "new"


def test_what_file_managers_leave_is_nobodys(tmp_path):
    publish(tmp_path / "space", "old")
    (tmp_path / "space" / ".DS_Store").touch()
    publish(tmp_path / "space", force=True)
    assert left_in(tmp_path / "space") == [MARKER, "README.md"]


def test_the_same_once_more_changes_nothing(tmp_path):
    publish(tmp_path / "space", "same")
    before = (tmp_path / "space").stat().st_ino
    publish(tmp_path / "space", "same")
    assert (tmp_path / "space").stat().st_ino == before
    assert left_in(tmp_path) == ["space"]
    (tmp_path / "space" / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="did not put there"):
        publish(tmp_path / "space", "same")


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "space").mkdir()
    publish(tmp_path / "space")
    assert (tmp_path / "space" / MARKER).is_file()


def test_anything_else_is_refused_even_by_force(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years", encoding="utf-8")
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    publish(tmp_path / "clone", "old")
    (tmp_path / "clone" / ".git").mkdir()
    for name in ("thesis", "file", "clone"):
        with pytest.raises(InputError):
            publish(tmp_path / name, force=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years"
    assert left_in(tmp_path) == ["clone", "file", "thesis"]


def test_the_folder_one_stands_in_is_not_pulled_away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="you are in"):
        publish(Path())


def test_a_link_leads_to_the_folder_that_is_replaced(tmp_path):
    publish(tmp_path / "real", "old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    publish(tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "README.md").read_text() == "new"


@pytest.mark.parametrize("inner", ["space", "deep/space"])
def test_a_folder_within_a_file_is_refused_and_the_file_named(tmp_path, inner):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="this is a file") as refused:
        publish(tmp_path / "file" / inner)
    assert refused.value.where == str(tmp_path / "file")
    assert "--out" in refused.value.hint


def test_a_place_that_cannot_be_written_to_is_said(tmp_path, monkeypatch):
    def refuse(*_, **__) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(PublishError, match="Permission denied") as refused:
        publish(tmp_path / "space")
    assert "who may write" in refused.value.hint


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    with pytest.raises(PublishError, match="No space left") as refused, new_folder(tmp_path / "space", kind="space"):
        raise OSError(28, "No space left on device")
    assert "Free some space" in refused.value.hint
    assert left_in(tmp_path) == []


def test_what_a_desktop_leaves_does_not_make_it_another_folder(tmp_path):
    target = tmp_path / "space"
    publish(target, "old")
    (target / ".DS_Store").write_bytes(b"x")
    publish(target, "old")
    publish(target, force=True)
    assert (target / "README.md").read_text() == "new"


@pytest.mark.parametrize("theirs", [lambda path: path.mkdir(), lambda path: path.symlink_to("/tmp"), os.mkfifo])
def test_force_does_not_remove_links_and_folders_that_somebody_made(tmp_path, theirs):
    target = tmp_path / "space"
    publish(target, "old")
    theirs(target / "mine")
    for text in ("old", "new"):
        with pytest.raises(InputError, match="did not put there: mine"):
            publish(target, text, force=True)
    assert os.path.lexists(target / "mine")
