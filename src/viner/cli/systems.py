"""What is scored: a model, or a file of answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from viner.errors import UsageError

if TYPE_CHECKING:
    from viner.evaluation.answers import Answers
    from viner.rules import RuledRecognizer
    from viner.runtime import Recognizer


def is_answers(name: str) -> bool:
    """Whether a name is that of a file of answers, rather than of a model."""
    return Path(name).expanduser().is_file()


def load_system(
    name: str,
    *,
    provider: str | None,
    rules: Path | Literal[False] | None,
    format: str | None = None,
    read_options: dict[str, Any] | None = None,
) -> Recognizer | RuledRecognizer[Recognizer] | Answers:
    """A model as it recognizes, or the answers of a file.

    Args:
        name: Model folder, project, Hub id, or a file of answers.
        provider: What runs a model.
        rules: As :func:`viner.load` takes them.
        format: Format of a file; None finds it out.
        read_options: Options of that format.

    Raises:
        UsageError: If rules are named for a file.
        InputError: If the file cannot be read.
    """
    import viner

    if not is_answers(name):
        return viner.load(name, provider=provider, rules=rules)
    if isinstance(rules, Path):
        raise UsageError("rules go with a model, and these are answers", where=name, hint="Leave --rules out")
    from viner.evaluation.answers import Answers
    from viner.formats import read

    return Answers(read(name, format, **(read_options or {})), where=name)
