"""What is scored: a model, or a file of answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from viner.cli.streams import comes_once
from viner.errors import UsageError
from viner.paths import expanded

if TYPE_CHECKING:
    from viner.document import Document
    from viner.evaluation.answers import Answers
    from viner.rules import RuledRecognizer
    from viner.runtime import Recognizer
    from viner.workflow.fingerprint import Fingerprint


def is_answers(name: str) -> bool:
    """Whether a name is that of a file of answers, or a stream of them (``-``, ``<(…)``), rather than of a model."""
    try:
        return comes_once(Path(name)) or expanded(name).is_file()
    except (OSError, ValueError):  # no name that a file could have
        return False


def refuse_rules(rules: Path | Literal[False] | None, *names: str) -> None:
    """Makes sure that rules are named only where a model is.

    Raises:
        UsageError: If all systems are files of answers.
    """
    if isinstance(rules, Path) and all(map(is_answers, names)):
        raise UsageError("rules go with a model, and these are answers", where=rules, hint="Leave --rules out")


def refuse_least_score(score: float | None, *names: str) -> None:
    """Makes sure that a least score is given only where all systems are models: of two, both would have to leave out as much.

    Raises:
        UsageError: If one is a file of answers.
    """
    answers = next(filter(is_answers, names), None)
    if score is not None and answers is not None:
        raise UsageError("--least-score goes with models, and these are answers", where=answers, hint="Leave it out")


def scored_from(score: float) -> str:
    """What a least score that somebody asked for did to the figures."""
    return (
        f"Scored without entities of the model whose score is below {score:g}."
        if score
        else "Scored with all that the model finds."
    )


def rules_of(system: Any) -> str | None:
    """The file of the rules that answer with a model, if any do."""
    return getattr(getattr(system, "rules", None), "file", None)


def told_of_rules(name: str, file: str) -> str:
    """That rules answered, too."""
    return f"{name} was scored with the rules of {file}."


def tell_unasked(file: Path, *systems: Any) -> None:
    """Tells of answers that belong to no document of the file: somebody may have named another split."""
    for system in systems:
        if unasked := getattr(system, "unasked", 0):
            answers = "1 answer belongs" if unasked == 1 else f"{unasked:,} answers belong"
            click.echo(f"{answers} to no document of {file}", err=True)


class Watch:
    """Documents on their way to be scored, to tell of models that have learned them: what they find there says little."""

    def __init__(self) -> None:
        self._seen: Fingerprint | None = None
        self._told: set[str] = set()

    def over(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The documents, watched as they pass, once more if they are read again."""
        from viner.workflow.fingerprint import Fingerprint

        self._seen = seen = Fingerprint()
        for document in documents:
            if document.entities is not None:
                seen.add(document)
            yield document

    def tell(self, file: Path, name: str, system: Any) -> None:
        """Says, once, that a model has learned the documents that have passed, if it has."""
        from viner.workflow.fingerprint import has_learned

        data = getattr(getattr(system, "info", None), "data", None)  # answers say nothing of what they come from
        if self._seen is None or data is None or name in self._told or not has_learned(data, self._seen.to_dict()):
            return
        self._told.add(name)
        click.echo(f"Warning: {name} has learned the documents of {file}; in others it finds less", err=True)


def load_system(
    name: str,
    *,
    provider: str | None,
    rules: Path | Literal[False] | None,
    least_score: float | None = None,
    format: str | None = None,
    read_options: dict[str, Any] | None = None,
) -> Recognizer | RuledRecognizer[Recognizer] | Answers:
    """A model as it recognizes, or the answers of a file.

    Args:
        name: Model folder, project, Hub id, or a file of answers.
        provider: What runs a model.
        rules: As :func:`viner.load` takes them; answers have none.
        least_score: As :func:`viner.load` takes it; answers are taken as they are.
        format: Format of a file; None finds it out.
        read_options: Options of that format.

    Raises:
        InputError: If the file cannot be read.
    """
    import viner

    if not is_answers(name):
        return viner.load(name, provider=provider, rules=rules, least_score=least_score)
    from viner.evaluation.answers import Answers
    from viner.formats import read

    return Answers(read(expanded(name), format, **(read_options or {})), where=name)
