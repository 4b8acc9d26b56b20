"""What a new project folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from viner.errors import MissingExtraError
from viner.project.toml import schema_toml
from viner.schema import Schema

GITIGNORE = """\
# texts and annotations, keys, trainings and models: they do not belong into a repository
viner.db*
.session-key
.schema-synced
runs/
models/
"""


def project_files(name: str, language: str, schema: Schema, *, guideline: str | None = None) -> Mapping[str, str]:
    """The files of a new project, by their names: ``viner.toml``, ``GUIDELINE.md`` and ``.gitignore``.

    Args:
        name: Name of the project for people.
        language: Language of its texts, such as "vi".
        schema: Its layers and types.
        guideline: What annotators are told, Markdown; None makes a frame from the descriptions of the types.

    Raises:
        MissingExtraError: If tomlkit is not installed.
    """
    return {
        ".gitignore": GITIGNORE,
        "GUIDELINE.md": guideline or guideline_frame(name, schema, language),
        "viner.toml": _settings(name, language, schema),
    }


_FRAME = {
    "en": (
        "How {name} is annotated",
        "Mark the name itself, without titles, spaces or punctuation around it.",
        "What is it? Say it in a sentence.",
        "Mark",
        "Do not mark",
    ),
    "vi": (
        "Hướng dẫn gán nhãn: {name}",
        "Chỉ gán nhãn chính cái tên, không gồm danh xưng, khoảng trắng hay dấu câu ở hai đầu.",
        "Nhãn này là gì? Hãy viết một câu.",
        "Gán nhãn",
        "Không gán nhãn",
    ),
}


def guideline_frame(name: str, schema: Schema, language: str) -> str:
    """A guideline to fill in: a section for each type, with its description. Vietnamese where the texts are, else English."""
    title, rule, question, mark, leave = _FRAME["vi" if language.lower().split("-")[0] == "vi" else "en"]
    lines = [f"# {title.format(name=_line(name))}", "", rule]
    for layer in schema:
        for item in layer.types:
            lines += ["", f"## {_line(item.name)}", "", _line(item.description or question)]
            lines += ["", f"- {mark}: …", f"- {leave}: …"]
    return "\n".join([*lines, ""])


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files into a folder that is there."""
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")


def _line(text: str) -> str:
    return " ".join(text.split())


def _settings(name: str, language: str, schema: Schema) -> str:
    try:
        import tomlkit
    except ImportError as error:
        raise MissingExtraError("making a project", "app") from error
    return _TEMPLATE.format(
        name=tomlkit.string(name).as_string(), language=tomlkit.string(language).as_string(), schema=schema_toml(schema)
    )


_TEMPLATE = """\
# The settings of this project. A server at work follows a change within a second; another database counts from its next start.
name = {name}
language = {language}  # of the texts: vi, en or another code

# What is annotated. To rename, merge or delete a type that annotations use, take the page: it changes these lines and them.
{schema}
[annotation]
order = "mix"           # given | random | uncertain (the least sure first) | mix
random_share = 0.15     # of mix: how many come by chance
dev = 0.1               # shares of the documents that are set aside, once, when they are imported:
test = 0.1              # dev to choose models on, test to report figures on
evaluation_share = 0.2  # how often a document of dev or test is served
suggest_evaluation = false  # whether the model suggests in dev and test, too: gold that a model proposed flatters that model
lease_minutes = 30      # how long an opened document is kept for who opened it
retrain_after = 0       # start a training after so many newly done documents; 0 never
guideline = "GUIDELINE.md"

# Where texts and annotations lie; without it in viner.db beside this file. The environment's VINER_DATABASE_URL goes before.
# [store]
# url = "postgresql+psycopg://user@host/database"

# Rules that suggest; nobody's word is taken before a person accepts.
# [rules]
# recognize = "never"         # at recognition: "under" fills in where the model finds nothing, "over" wins against it
#
# [[rules.dictionaries]]
# label = "LOCATION"
# terms = ["Đà Nẵng", "Huế"]  # or: file = "places.txt", one a line
# ignore_case = true
#
# [[rules.patterns]]
# label = "PATIENT_ID"
# pattern = 'BN[0-9]+'        # RE2
# recognize = "over"          # of this one alone
"""
