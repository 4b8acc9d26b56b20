"""Paths of this machine in configurations: they name people and their folders, and are of no use elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

_HOME = re.compile(r"~[^\s/\\]*[/\\]\S|file:/", re.IGNORECASE)
_TOKENS = {"added_tokens_decoder", "additional_special_tokens", "extra_special_tokens", "chat_template"}
"""Keys of tokenizers that hold text to be recognized as it is, such as ``/usr``, and nothing that was a file."""


def is_path(value: Any) -> bool:
    """Whether a value says where something lies: an absolute path of any system, one from a home folder, or a file's URL."""
    if not isinstance(value, str) or value.strip("/\\") == "":
        return False
    return (
        PurePosixPath(value).is_absolute()
        or PureWindowsPath(value).is_absolute()
        or _HOME.match(value) is not None
        or _names_home(value)
    )


def _names_home(text: str) -> bool:
    """Whether this machine's home folder stands within a text."""
    home = str(Path.home())
    return len(home) > 1 and re.search(rf"(?<![\w/\\]){re.escape(home)}(?!\w)", text) is not None


def without_paths(config: Any) -> Any:
    """A configuration of a model or tokenizer without the entries that are paths, at any depth.

    Libraries take what is missing from the folder that they read, so nothing takes the place of a path. Tokens stay.
    """
    if isinstance(config, Mapping):
        return {
            key: value if _is_token(key) else without_paths(value)
            for key, value in config.items()
            if _is_token(key) or not is_path(value)
        }
    if isinstance(config, list):
        return [without_paths(item) for item in config if not is_path(item)]
    return config


def _is_token(key: str) -> bool:
    return key in _TOKENS or key.endswith("_token")


def shortened(data: Any) -> Any:
    """What a model says about its making, each path in it cut to its last name, at any depth: a base keeps a name."""
    if isinstance(data, Mapping):
        return {key: shortened(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [shortened(item) for item in data]
    return PureWindowsPath(data).name if is_path(data) else data  # which knows both kinds of slashes
