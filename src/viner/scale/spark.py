"""Recognition in Spark: a function for ``DataFrame.mapInPandas``, which Spark runs on its own workers.

The model is loaded once in each Python process of Spark, and kept: Spark reuses processes from partition to partition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from viner.document import Document
from viner.errors import InputError

if TYPE_CHECKING:
    from viner.rules import RuledRecognizer
    from viner.runtime import Recognizer

ENTITIES = "entities array<struct<start:int,end:int,label:string,text:string,score:double>>"
"""The column of the answers, in Spark's language of schemas."""

Partitions = Callable[[Iterator[Any]], Iterator[Any]]
"""From data frames of pandas to data frames of pandas."""


def recognize_partitions(
    model: str,
    *,
    text: str = "text",
    engine: str | None = None,
    rules: str | Literal[False] | None = None,
    least_score: float | None = None,
) -> Partitions:
    """A function for ``mapInPandas`` that adds a column ``entities`` to what it is given.

    Args:
        model: A model folder or a project that every worker sees under this name, or a Hub id.
        text: Name of the column with the texts; a row without one (null) has no entities.
        engine: What is to run, "int8", "fp32" or "cascade"; None takes what the model chose.
        rules: A TOML file with ``[rules]`` that every worker sees; None takes those of a project, False none.
        least_score: Entities with a lower score are left out, see :func:`viner.load`; None leaves that to the model.

    Returns:
        A function from data frames to data frames of the same rows and columns, in order, and ``entities``: for each row a list
        of ``{"start", "end", "label", "text", "score"}``. Offsets are code points. The answers are those of :func:`viner.load`,
        however the rows are spread. It raises an InputError that names the column where it is missing or holds no strings, or
        where there are ``entities`` already.
    """

    def recognize(frames: Iterator[Any]) -> Iterator[Any]:
        recognizer = _loaded(model, engine, rules, least_score)
        for frame in frames:
            if text not in frame:
                raise InputError(f"there is no column {text!r}", where=text, hint=f"Columns: {', '.join(map(str, frame))}")
            if "entities" in frame:
                raise InputError(
                    "there is a column 'entities' already, which the answers would replace",
                    where="entities",
                    hint="Drop or rename it before: df.withColumnRenamed('entities', 'entities_before')",
                )
            yield frame.assign(entities=_recognized(recognizer, frame[text].tolist(), text))

    return recognize


@cache
def _loaded(
    model: str, engine: str | None, rules: str | Literal[False] | None, least_score: float | None
) -> Recognizer | RuledRecognizer[Recognizer]:
    from viner.rules import with_rules
    from viner.runtime import Recognizer

    # One thread: Spark starts as many of these processes as it is to use cores.
    return with_rules(Recognizer.load(model, engine=engine, threads=1).with_least_score(least_score), model, rules)


def _recognized(
    recognizer: Recognizer | RuledRecognizer[Recognizer], texts: list[Any], column: str
) -> list[list[dict[str, Any]]]:
    documents = [Document("" if _missing(value) else _string(value, row, column)) for row, value in enumerate(texts)]
    return [
        [
            {"start": entity.start, "end": entity.end, "label": entity.label, "text": entity.text, "score": entity.score}
            for entity in document.entities or ()
        ]
        for document in recognizer.stream(documents)
    ]


def _missing(value: object) -> bool:
    # pandas has NaN for null, or NA, which says of no comparison whether it is true; nor does an array.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)


def _string(value: object, row: int, column: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"row {row} holds no text but {type(value).__name__}", where=column, hint="Cast the column to string")
    return value
