"""Learning curves: trainings on growing parts of the documents, scored on the same dev set."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.base import identity
from viner.corpus.shares import nested_shares
from viner.document import Document
from viner.errors import InputError, TrainingError, UsageError
from viner.evaluation.curve import Curve, CurveRun
from viner.formats.files import replacing
from viner.schema import Schema
from viner.workflow.material import Material, require_training
from viner.workflow.progress import Report, duration
from viner.workflow.start import Start
from viner.workflow.trial import NO_MEMORY, try_training

if TYPE_CHECKING:
    from viner.training.config import TrainingConfig

SHARES = (0.1, 0.25, 0.5, 1.0)
SEEDS = (1,)
_PLACE = "training"


def learning_curve(
    train: str | Path,
    work: str | Path,
    *,
    dev: str | Path | None = None,
    shares: Sequence[float] = SHARES,
    seeds: Sequence[int] = SEEDS,
    known: Iterable[CurveRun] = (),
    base: str | Path | None = None,
    schema: Schema | None = None,
    format: str | None = None,
    read_options: Mapping[str, Any] | None = None,
    allow_bin: bool = False,
    segmenter: str | None = None,
    report: Report | None = None,
    **choices: Any,
) -> Curve:
    """Trains on growing shares of the documents, each of which holds the smaller ones, and scores all on the same dev set.

    Killed or interrupted, the same call goes on: what is done stays in the working folder, which the caller removes once the
    curve is kept. A training that fails is a part of the curve without a score.

    Args:
        train: Annotated file to learn from, in any format that viner reads.
        work: Working folder.
        dev: Annotated file to score on; None sets a seeded tenth of ``train`` aside, the same for all.
        shares: Shares of the documents, in (0, 1], two at least.
        seeds: A training for each on each share; parts and trainings are drawn with it.
        known: Trainings of an earlier curve, which are not done again where they are the same.
        base: Encoder to start from; None takes the bundled one.
        schema: Types; None infers them from all documents.
        format: Format of the annotated files; None finds it out for each.
        read_options: Options of that format.
        allow_bin: Accept a base whose weights are in PyTorch's ``.bin`` format.
        segmenter: What groups syllables into segments, or "none"; None takes what the base learned from.
        report: Where progress goes; None writes to stderr.
        **choices: Fields of :class:`viner.training.config.TrainingConfig`, but for the seed.

    Raises:
        InputError: If a file cannot be read, or a share of it holds no entity.
        UsageError: If shares or choices cannot be.
        BundleError: If the base cannot be used.
        TrainingError: If fewer than two shares got a score, or another training is at work in that folder.
        MissingExtraError: If the training libraries are missing.
    """
    require_training()
    report = report or Report()
    shares, seeds = sorted(set(shares)), list(dict.fromkeys(seeds))
    if len(shares) < 2 or not all(0 < share <= 1 for share in shares):
        raise UsageError("a curve needs two shares at least, above 0 and up to 1", where="--shares", hint="Such as: 0.25,0.5,1")
    if not seeds:
        raise UsageError("a curve needs a seed", where="--seeds")
    start = Start.find(base, None, allow_bin=allow_bin)
    reads = start.segmenter(segmenter)
    configs = {seed: start.config({**choices, "seed": seed}, reads) for seed in seeds}
    material = Material.read(start, reads, train, dev, seed=seeds[0], schema=schema, format=format, read_options=read_options)
    parts = {seed: nested_shares(material.train, shares, seed) for seed in seeds}
    _check_parts(parts, shares, train)
    done = {run.key: run for run in (*known, *_finished(Path(work))) if run.problem != NO_MEMORY}
    tasks = [(share, seed, material.learning_from(parts[seed][index])) for index, share in enumerate(shares) for seed in seeds]
    keys = [_key(part, configs[seed]) for _, seed, part in tasks]
    waiting = sum(len(part.train) for (_, _, part), key in zip(tasks, keys, strict=True) if key not in done)
    taught, began = 0, time.monotonic()
    runs: list[CurveRun] = []
    for number, ((share, seed, part), key) in enumerate(zip(tasks, keys, strict=True), start=1):
        if key not in done:
            report.title = f"training {number} of {len(tasks)}"
            report.line(f"Training {number} of {len(tasks)}: share {share:g}, {len(part.train):,} documents, seed {seed}")
            done[key] = _run(part, configs[seed], share, seed, key, Path(work), report)
            taught += len(part.train)
            left = (time.monotonic() - began) / taught * (waiting - taught)
            report.line(f"  {_outcome(done[key])}" + (f", about {duration(left)} left" if left else ""))
        run = done[key]
        runs.append(CurveRun(share, run.documents, run.entities, seed, run.f1, run.seconds, key, run.problem))
    curve = Curve(runs, len(material.dev), sum(len(document.entities or ()) for document in material.dev))
    if len(curve.points()) < 2:
        problems = [run.problem for run in runs if run.problem]
        raise TrainingError(
            f"{len(problems)} of {len(runs)} trainings failed, so there is no curve; the last one: {problems[-1]}",
            hint="There may be too few entities to learn from; try larger --shares, or other choices",
        )
    return curve


def _run(part: Material, config: TrainingConfig, share: float, seed: int, key: str, work: Path, report: Report) -> CurveRun:
    """Makes one training, and keeps what came out in the working folder."""

    def observe(event: dict[str, Any]) -> None:
        if event["event"] == "step":
            report.step(event)

    f1, problem = None, None
    began = time.monotonic()
    try:
        f1 = try_training(part, config, work / _PLACE, observe).scores.micro.f1
    except (TrainingError, InputError) as error:
        if error.where is not None:
            raise  # the disk's fault, or another training at work there
        problem = error.message
    finally:
        report.close(keep=False)
    entities = sum(len(document.entities or ()) for document in part.train)
    run = CurveRun(share, len(part.train), entities, seed, f1, round(time.monotonic() - began, 1), key, problem)
    work.mkdir(parents=True, exist_ok=True)
    with replacing(work / f"{key}.json") as sink:
        sink(json.dumps(asdict(run)) + "\n")
    return run


def _finished(work: Path) -> Iterable[CurveRun]:
    """The trainings that the working folder keeps."""
    for file in _results(work):
        try:
            yield CurveRun.from_dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise InputError(
                f"what was done cannot be read ({error})", where=file, hint="Delete that file: its training is done again"
            ) from error


def remove_trainings(work: str | Path) -> None:
    """Removes what trainings left in the working folder, when what came out is kept.

    Args:
        work: The working folder, which goes as well unless somebody else's files are in it.
    """
    for file in _results(Path(work)):
        file.unlink()
    shutil.rmtree(Path(work) / _PLACE, ignore_errors=True)
    with suppress(OSError):
        Path(work).rmdir()


def _results(work: Path) -> list[Path]:
    return sorted(file for file in work.glob("*.json") if re.fullmatch("[0-9a-f]{24}", file.stem))


def _check_parts(parts: Mapping[int, Sequence[Sequence[Document]]], shares: Sequence[float], where: str | Path) -> None:
    """Finds out before the first training what would end the curve in the middle."""
    for drawn in parts.values():
        for share, part in zip(shares, drawn, strict=True):
            if not any(document.entities for document in part):
                raise InputError(
                    f"a share of {share:g} ({len(part):,} documents) holds no entity", where=where, hint="Give larger --shares"
                )
        for one, other, first, second in zip(shares, shares[1:], drawn, drawn[1:], strict=False):
            if len(first) == len(second):
                raise UsageError(
                    f"shares of {one:g} and {other:g} are the same {len(first):,} documents", where="--shares",
                    hint="Leave one of them away",
                )  # fmt: skip


def _key(part: Material, config: TrainingConfig) -> str:
    """Names a training by all that its score depends on."""
    reads = None if part.reads is None else part.reads.name
    told = [part.labels, identity(part.start.folder), reads, config.to_dict()]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode())
    digest.update(part.fingerprint().encode())
    return digest.hexdigest()[:24]


def _outcome(run: CurveRun) -> str:
    told = f"failed: {run.problem}" if run.f1 is None else f"dev F1 {run.f1:.4f}"
    return f"{told}, {run.seconds:.0f} s"
