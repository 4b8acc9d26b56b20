"""Where things lie on a machine is nobody else's business; what only looks like a path stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from viner.publishing.paths import is_path, shortened, without_paths


@pytest.mark.parametrize(
    "value",
    [
        "/home/minh/bases/mine",
        "/tmp/x",
        "/srv",
        "C:\\Users\\minh\\vocab.txt",
        "c:/Users/minh/vocab.txt",
        "\\\\server\\share\\vocab.txt",
        "~/bases/mine",
        "~minh/bases",
        "file:///home/minh/vocab.txt",
        "made from /home/minh/bases, by hand",
    ],
)
def test_paths_of_all_systems_are_known(value, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/minh"))
    assert is_path(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "/", "//", "~", "~5", "vinai/phobert-base", "models/003", "vocab.txt", "https://example.org/home/minh"),
        *("gelu", "</s>", "1/2", "a~/b", None, 3, 1.5, True, ["/home/minh"], {"path": "/home/minh"}),
        "/home/minhanh is not the home of minh",
    ],
)
def test_what_is_no_path_is_kept(value, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/minh"))
    if isinstance(value, str) and value.startswith("/home"):
        value = f"but {value}"
    assert not is_path(value)


def test_a_home_that_is_the_root_is_in_no_text(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/"))
    assert not is_path("either / or")


def test_paths_leave_configurations_at_any_depth_and_under_any_key():
    config = {
        "_name_or_path": "/home/minh/base",
        "vocab_file": "C:\\data\\vocab.txt",
        "init_kwargs": {"merges_file": "~/bpe.codes", "errors": "replace"},
        "files": ["/tmp/one.txt", "two.txt", {"bpe": "/tmp/three.txt", "kept": 1}],
        "hidden_size": 32,
        "id2label": {"0": "O", "1": "B-PER"},
    }
    assert without_paths(config) == {
        "init_kwargs": {"errors": "replace"},
        "files": ["two.txt", {"kept": 1}],
        "hidden_size": 32,
        "id2label": {"0": "O", "1": "B-PER"},
    }


def test_tokens_are_text_whatever_they_look_like():
    config = {
        "added_tokens_decoder": {"7": {"content": "/usr", "special": True}},
        "additional_special_tokens": ["/home", "~/x"],
        "extra_special_tokens": {"path": "/etc"},
        "chat_template": "/no_think",
        "sep_token": "/sep",
        "mask_token": {"content": "/mask"},
    }
    assert without_paths(config) == config


def test_what_names_a_base_keeps_its_last_part():
    about = {"name": "/home/minh/bases/mine", "teacher": {"name": "C:\\models\\large", "f1": 0.9}, "from": ["~/x/y", "a/b"]}
    assert shortened(about) == {"name": "mine", "teacher": {"name": "large", "f1": 0.9}, "from": ["y", "a/b"]}
