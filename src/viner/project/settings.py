"""What ``viner.toml`` says beside the schema: name and language, the store, how the queue works, and the rules.

Every key is checked when it is read. An unknown one is refused, since a misspelled key would otherwise be a setting that
silently does nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from viner.errors import InputError
from viner.project.rules import Dictionary, Pattern, read_rules
from viner.project.values import Table, reason

ORDERS = ("given", "random", "uncertain", "mix")
"""How the queue orders documents: as imported, by chance, the least sure first, or the latter with some by chance."""

UNDETERMINED = "und"
"""The language code (BCP 47) of texts whose language nobody named."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class AnnotationSettings:
    """How documents are drawn, served and trained on.

    Args:
        order: One of :data:`ORDERS`, for documents of train; dev and test come by chance always.
        random_share: Share of the documents that order "mix" draws by chance, in [0, 1].
        dev: Share of the document groups that are drawn for dev, in [0, 1).
        test: Share of the document groups that are drawn for test, in [0, 1).
        evaluation_share: How often the queue serves dev and test while documents of both kinds wait, in [0, 1].
        suggest_evaluation: Whether the model suggests in documents of dev and test, too. Rules always do.
        lease_minutes: How long a document is kept for the person who opened it, in minutes.
        retrain_after: Newly done documents after which a training starts by itself; 0 never.
        guideline: The guideline's file, relative to the project folder and within it.
    """

    order: str = "mix"
    random_share: float = 0.15
    dev: float = 0.1
    test: float = 0.1
    evaluation_share: float = 0.2
    suggest_evaluation: bool = False
    lease_minutes: float = 30
    retrain_after: int = 0
    guideline: str = "GUIDELINE.md"


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The settings of a project, checked and complete.

    Args:
        name: Name of the project for people.
        language: Language of the texts (BCP 47), such as "vi"; "und" when none is given.
        database_url: URL of the store. ``VINER_DATABASE_URL`` goes before ``[store] url``, and that before ``viner.db`` in the
            project folder. A relative SQLite path is relative to the project folder, whatever the current one is.
        annotation: How documents are drawn, served and trained on.
        dictionaries: Dictionaries that suggest, and recognize where they say so.
        patterns: Patterns that suggest, and recognize where they say so.
        guideline: Text of the guideline, Markdown; None where there is no such file.
    """

    name: str
    language: str
    database_url: str
    annotation: AnnotationSettings
    dictionaries: tuple[Dictionary, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    guideline: str | None = None

    @property
    def database_file(self) -> Path | None:
        """The file of the store where that is SQLite; None where it is another database."""
        scheme, _, rest = self.database_url.partition(":///")
        return Path(rest.partition("?")[0]) if scheme.partition("+")[0] == "sqlite" else None


def read_settings(folder: Path, data: Mapping[str, Any]) -> ProjectSettings:
    """The settings of the project in a folder, from the content of its ``viner.toml``.

    Raises:
        InputError: If a key is unknown or its value cannot be used, or a file that a key names cannot be read or lies outside
            the project folder; ``where`` is the file and the key, such as ``covid/viner.toml: annotation.order``.
    """
    top = Table(data, folder / "viner.toml", "")
    top.know("name", "language", "schema", "store", "annotation", "rules")
    annotation = _annotation(top.table("annotation"))
    dictionaries, patterns = read_rules(top.table("rules"))
    return ProjectSettings(
        name=top.text("name", folder.resolve().name),
        language=top.text("language", UNDETERMINED, accept=_LANGUAGE, hint="Give a code, such as vi or en"),
        database_url=_database_url(folder, top.table("store")),
        annotation=annotation,
        dictionaries=dictionaries,
        patterns=patterns,
        guideline=_guideline(annotation, top),
    )


def _annotation(table: Table) -> AnnotationSettings:
    table.know(*(field.name for field in fields(AnnotationSettings)))
    default = AnnotationSettings()
    settings = AnnotationSettings(
        order=table.choice("order", default.order, ORDERS),
        random_share=table.number("random_share", default.random_share, 0, 1),
        dev=table.number("dev", default.dev, 0, 0.9),
        test=table.number("test", default.test, 0, 0.9),
        evaluation_share=table.number("evaluation_share", default.evaluation_share, 0, 1),
        suggest_evaluation=table.truth("suggest_evaluation", default.suggest_evaluation),
        lease_minutes=table.number("lease_minutes", default.lease_minutes, 0.1, 7 * 24 * 60),
        retrain_after=table.integer("retrain_after", default.retrain_after, 0, 1_000_000_000),
        guideline=table.text("guideline", default.guideline),
    )
    if settings.dev + settings.test > 0.9:
        raise table.error("dev", "dev and test together leave less than a tenth to train on")
    return settings


def _database_url(folder: Path, table: Table) -> str:
    table.know("url")
    url = os.environ.get("VINER_DATABASE_URL") or table.text("url", "sqlite:///viner.db")
    scheme, separator, rest = url.partition(":///")
    if scheme.partition("+")[0] != "sqlite":
        return url
    path, mark, query = rest.partition("?")
    if not separator or not path or path == ":memory:":
        raise table.error("url", f"{url!r} names no file", hint="Write it so: sqlite:///viner.db")
    file = (folder / path).absolute()
    if "?" in str(file):
        raise InputError(
            "a path with a question mark cannot stand in a database's URL", where=file, hint="Give the folder another name"
        )
    return f"{scheme}:///{file.as_posix()}{mark}{query}"


def _guideline(settings: AnnotationSettings, top: Table) -> str | None:
    path = top.inner_file("annotation.guideline", settings.guideline)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise top.error("annotation.guideline", f"{path} cannot be read ({reason(error)})") from error
