"""Annotations that are probably wrong, by cross-validation: models judge the documents that they did not learn from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from viner.base.identity import identity
from viner.corpus import fold_numbers, is_partial
from viner.document import Document
from viner.errors import InputError
from viner.evaluation.confident import Judged, doubtful
from viner.evaluation.documents import named
from viner.evaluation.doubts import Doubt
from viner.evaluation.messages import ENGLISH
from viner.formats import read, write
from viner.languages import Say
from viner.metrics import EntityTally
from viner.runtime import Recognizer
from viner.schema import Schema
from viner.workflow.fingerprint import fingerprint
from viner.workflow.material import set_aside
from viner.workflow.progress import Report
from viner.workflow.start import Start
from viner.workflow.train import train_model

FOLDS = 5
POOR = 0.5
"""Below this F1, models doubt for want of knowledge."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What cross-validation doubts.

    Args:
        doubts: The doubts, the most doubtful first.
        documents: Documents that were judged.
        entities: Entities that are annotated in them.
        folds: How many models judged.
        f1: Strict micro F1 of their answers, in [0, 1].
    """

    doubts: tuple[Doubt, ...]
    documents: int
    entities: int
    folds: int
    f1: float

    def summary(self, say: Say = ENGLISH) -> str:
        """What was found, for people, and how far these models can be trusted."""
        kinds = Counter(doubt.pair.kind for doubt in self.doubts)
        missing = kinds.pop("spurious", 0)
        told = say(
            "err_crossed",
            doubtful=say.number(kinds.total()),
            entities=say.number(self.entities),
            missing=say.number(missing),
            documents=say.number(self.documents),
            folds=self.folds,
            f1=say.decimal(self.f1, 4),
        )
        return f"{told} {say('err_crossed_poor')}" if self.f1 < POOR else told

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "documents": self.documents,
            "entities": self.entities,
            "folds": self.folds,
            "f1": self.f1,
            "doubts": [doubt.to_dict() for doubt in self.doubts],
        }


def find_doubts(
    train: str | Path,
    work: str | Path,
    *,
    format: str | None = None,
    read_options: Mapping[str, Any] | None = None,
    **choices: Any,
) -> Doubts:
    """Finds doubtful annotations of a file by cross-validation, see :func:`find_doubts_in`.

    Args:
        train: An annotated file in any format that viner reads.
        work: Working folder, for the models and the files that they learn from.
        format: Format of the file; None finds it out.
        read_options: Options of that format.
        **choices: What :func:`find_doubts_in` takes.

    Raises:
        InputError: If the file cannot be read or holds no entity.
        UsageError: If there are not so many different texts as folds.
        TrainingError: As a training does.
        MissingExtraError: If the training libraries are missing.
    """
    return find_doubts_in(read(train, format, **(read_options or {})), work, where=train, **choices)


def find_doubts_in(
    documents: Iterable[Document],
    work: str | Path,
    *,
    where: str | Path | None = None,
    folds: int = FOLDS,
    seed: int = 0,
    report: Report | None = None,
    **choices: Any,
) -> Doubts:
    """Trains a model on all folds of some documents but one, for each fold, and lets it judge the documents of that one.

    See :mod:`viner.evaluation.confident` for what is doubted. Killed or interrupted, the same call goes on: finished models
    stay in the working folder. Once what was found is kept, :func:`remove_models` clears it.

    Args:
        documents: Annotated documents; others are left out.
        work: Working folder, for the models and the files that they learn from.
        where: Where the documents come from, for messages.
        folds: How many models are trained. Each learns from all but one fold, so many folds judge better, and take longer.
        seed: Of the folds, and of the trainings.
        report: Where progress goes; None writes to stderr.
        **choices: What :func:`viner.workflow.train_model` takes beside files: ``base``, ``epochs``, ``budget_minutes``, ….

    Raises:
        InputError: If no document has an entity.
        UsageError: If there are not so many different texts as folds.
        TrainingError: As a training does.
        MissingExtraError: If the training libraries are missing.
    """
    report = report or Report()
    documents = [document for document in named(documents) if document.entities is not None]
    entities = sum(len(document.entities or ()) for document in documents)
    if not entities:
        raise InputError(
            "no annotated entity in these documents",
            where=where,
            hint="Doubts are about annotations: CoNLL, JSONL with 'entities', …",
        )
    numbers = fold_numbers(documents, folds, seed)
    schema = Schema.infer(documents)
    place = Path(work) / _fingerprint(documents, folds, seed, choices)
    _clear(Path(work), but=place)  # what an interrupted search for other doubts has left would never be gone on with
    judged: dict[int, Judged] = {}
    parts = [_parts(documents, numbers, fold, seed, where) for fold in range(folds)]  # what cannot be is told before any trains
    for fold, (learned, tuned) in enumerate(parts):
        report.line(f"Fold {fold + 1} of {folds}")
        model = _model(place / f"{fold + 1}", learned, tuned, schema, report, {"seed": seed, **choices})
        asked = [index for index, number in enumerate(numbers) if number == fold]
        judged.update(zip(asked, _judged(model, [documents[index] for index in asked], learned), strict=True))
    found = doubtful([judged[index] for index in range(len(documents))])
    tally = EntityTally()
    for document in judged.values():
        if is_partial(document.gold):
            continue  # what nobody looked at cannot be scored
        tally.add(*([entity.labeled_span for entity in side.entities or ()] for side in (document.gold, document.predicted)))
    return Doubts(tuple(found), len(documents), entities, folds, tally.scores().micro.f1)


def remove_models(work: str | Path) -> None:
    """Removes the models that judged, and the files that they learned from, when what they found is kept.

    Args:
        work: The working folder, which goes as well unless somebody else's files are in it.
    """
    _clear(Path(work))
    with contextlib.suppress(OSError):
        Path(work).rmdir()


def _clear(work: Path, *, but: Path | None = None) -> None:
    """Removes what searches for doubts have left in a working folder."""
    for folder in work.iterdir() if work.is_dir() else ():
        if folder != but and re.fullmatch(r"[0-9a-f]{16}", folder.name):
            shutil.rmtree(folder)


def _parts(
    documents: Sequence[Document], numbers: Sequence[int], fold: int, seed: int, where: str | Path | None
) -> tuple[Sequence[Document], Sequence[Document]]:
    """What the model learns from, and chooses its best epoch on, that judges the documents of a fold."""
    inside = [document for document, number in zip(documents, numbers, strict=True) if number != fold]
    try:
        return set_aside(inside, seed, where=where)
    except InputError as error:
        message = f"without the documents of fold {fold + 1}, {error.message}"
        raise InputError(message, where=where, hint="Annotate entities in more documents, or ask for more folds") from None


def _model(
    place: Path,
    learned: Sequence[Document],
    tuned: Sequence[Document],
    schema: Schema,
    report: Report,
    choices: Mapping[str, Any],
) -> Path:
    model = place / "model"
    if not (model / "viner.json").is_file():
        place.mkdir(parents=True, exist_ok=True)
        train, dev = place / "train.jsonl", place / "dev.jsonl"
        write(learned, train)
        write(tuned, dev)
        train_model(train=train, dev=dev, out=model, schema=schema, report=report, **choices)
    return model


def _judged(model: Path, documents: Sequence[Document], learned: Sequence[Document]) -> Iterator[Judged]:
    recognizer = Recognizer.load(model).with_least_score(0)  # what a model is unsure of may well be what people forgot
    labels = recognizer.info.heads[0].labels
    seen = frozenset(entity.label for document in learned for entity in document.entities or ())
    questions = (document.bare() for document in documents)
    for document, (answer, probabilities) in zip(documents, recognizer.probabilities(questions), strict=True):
        # Half the memory, and far more digits than anybody's doubts have.
        yield Judged(document, answer, probabilities.astype(np.float16), labels, seen)


def _fingerprint(documents: Sequence[Document], folds: int, seed: int, choices: Mapping[str, Any]) -> str:
    """Names what is asked, so that nothing of another question is taken for a part of this one."""
    start = Start.find(choices.get("base"), choices.get("distill_from"), allow_bin=choices.get("allow_bin", False))
    reads = start.segmenter(choices.get("segmenter"))
    told = [
        *(folds, seed, {name: str(choices[name]) for name in sorted(choices)}, fingerprint(documents)["sha256"]),
        *(identity(start.folder), None if reads is None else reads.name),  # under one name may come to lie another base
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
