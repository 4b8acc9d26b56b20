"""``viner.toml``: read whole, changed in place so that comments survive, replaced at once so that it is never half there."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from viner.errors import InputError, MissingExtraError, VinerError
from viner.project.rules import labeled_rules
from viner.schema import Schema

Relabel = Callable[[Mapping[str, Any]], Sequence[str]]
"""Tells for the content of a file the label that each of its rules is to have, in the order of :func:`labeled_rules`."""

_COMMENTS = re.compile(r"(?:^[ \t]*(?:#.*)?\r?\n)*\Z", re.MULTILINE)


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        InputError: If there is none, or it is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"it cannot be read ({error})", where=path) from error


def schema_toml(schema: Schema) -> str:
    """A schema as ``viner.toml`` holds it, a line for each type."""
    try:
        import tomlkit
    except ImportError as error:
        raise MissingExtraError("writing viner.toml", "app") from error

    blocks = []
    for layer in schema:
        head = tomlkit.document()
        for key, value in layer.to_dict().items():
            if key != "types":
                head.add(key, value)
        rows = []
        for item in layer.types:
            row = tomlkit.inline_table()
            row.update(item.to_dict())
            rows.append(f"    {row.as_string()},\n")
        types = f"types = [\n{''.join(rows)}]\n" if rows else "types = []\n"
        blocks.append(f"[[schema.layers]]\n{head.as_string()}{types}")
    return "\n".join(blocks) or "[schema]\nlayers = []\n"


def replace_schema(path: Path, schema: Schema, relabel: Relabel | None = None) -> int:
    """Puts a schema into a TOML file, in the place of the one that is there; everything else stays as it is written.

    Args:
        path: The file.
        schema: The schema.
        relabel: Gives the file's rules other labels in the same step; None leaves them as they are.

    Returns:
        How many rules got another label.

    Raises:
        InputError: If the file cannot be read.
        VinerError: If it cannot be written; then it is as before.
    """
    block = schema_toml(schema)
    import tomlkit

    wanted = read_toml(path)
    content = path.read_bytes().decode("utf-8-sig")
    ending = "\r\n" if "\r\n" in content else "\n"
    document = tomlkit.parse(content)
    moved = 0
    if relabel is not None:
        labels = relabel(wanted)
        for place, (_, rule) in enumerate(labeled_rules(wanted)):
            if rule["label"] != labels[place]:
                rule["label"] = labeled_rules(document)[place][1]["label"] = labels[place]
                moved += 1
    wanted["schema"] = tomllib.loads(block)["schema"]
    if "schema" in document:
        # Comments between the schema and the next table belong to the schema's last layer, as TOML is parsed.
        after = _COMMENTS.search(document["schema"].as_string())
        comments = after[0].strip() if after else ""
        document["schema"] = tomlkit.parse(f"{block}\n{comments}\n" if comments else block)["schema"]
        changed = document.as_string()
    else:
        content = document.as_string()
        changed = content.rstrip() + ending * (2 if content.strip() else 0) + block.replace("\n", ending)
    if tomllib.loads(changed) != wanted:
        raise VinerError("the schema cannot be put in its place", where=path, hint="Write [[schema.layers]] once, at the end")
    write_text(path, changed)
    return moved


def write_text(path: Path, text: str) -> None:
    """Writes a file at once: it has the old content or the new, whatever happens.

    Raises:
        VinerError: If it cannot be written.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        temporary.replace(path)
    except OSError as error:
        raise VinerError(
            f"cannot be written: {error.strerror or error}",
            where=path,
            hint="Nothing was changed; check the folder's permissions and the space left",
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
