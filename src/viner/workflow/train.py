"""Training from files to a finished model folder: what ``viner train`` and the console's button both call."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.bundle import BundleInfo, BundleWriter, Head, Origin, Windows
from viner.bundle.info import check_engine
from viner.corpus import refuse_partial
from viner.document import Document
from viner.errors import BundleError, InputError, UsageError
from viner.schema import ENTITIES, Schema
from viner.version import __version__
from viner.workflow.adapt import Adaptation
from viner.workflow.fingerprint import DEV_BEFORE, REFIT, WHOLE, fingerprint, has_learned, has_learned_of
from viner.workflow.finish import decide, export_as_decided, finish
from viner.workflow.lineage import ADAPTED, UNLABELED
from viner.workflow.material import Material, annotated, require_training
from viner.workflow.progress import Report, TrainingLog
from viner.workflow.start import Start
from viner.workflow.texts import PlainTexts, Reading, bare_text

if TYPE_CHECKING:
    from viner.training.config import TrainingConfig

_KNOWN_SHARE = 0.05
"""Share of documents from which on it is told that their texts are learned as well: the same short text may come twice."""


def train_model(
    *,
    train: str | Path,
    out: str | Path,
    dev: str | Path | None = None,
    test: str | Path | None = None,
    base: str | Path | None = None,
    distill_from: str | Path | None = None,
    layers: int | None = None,
    teacher: str | Path | Sequence[str | Path] | None = None,
    unlabeled: str | Path | Sequence[str | Path] | None = None,
    adapt: str | Path | Sequence[str | Path] | None = None,
    schema: Schema | None = None,
    source: Origin | None = None,
    format: str | None = None,
    read_options: Mapping[str, Any] | None = None,
    allow_bin: bool = False,
    segmenter: str | None = None,
    engine: str | None = None,
    refit: bool = False,
    overwrite: bool = False,
    track: Sequence[str] = (),
    track_dir: str | Path | None = None,
    report: Report | None = None,
    **choices: Any,
) -> Path:
    """Trains a recognizer on annotated files and writes it as a model folder.

    Killed or interrupted, the same call goes on from the last finished epoch: the working folder ``OUT.training`` beside the
    model keeps it, and is removed when the model stands.

    In several processes that ``accelerate launch`` or ``torchrun`` started, all make the
    same call; it returns in all of them when the main one has written the model.

    Args:
        train: Annotated file to learn from, in any format that viner reads.
        out: The model folder to write.
        dev: Annotated file to choose the best epoch on; None sets a seeded tenth of ``train`` aside, by document, of those that
            are fully annotated.
        test: Annotated file for the figures of the model card; it plays no part in training.
        base: Encoder to start from: a folder or Hub id; None takes the bundled one.
        distill_from: A model to make a smaller one of, in the place of a base: a folder with weights, a project or a Hub id.
            The new model begins with some of its layers, learns to answer as it does, and has its labels, windows and views.
        layers: How many of its layers the smaller model has; None halves them.
        teacher: A model, or several, whose answer for each word the base learns beside the annotation: named as
            ``distill_from`` is. However they are built, the new model is built as its base, and has their labels.
        unlabeled: Texts that nobody annotated, and in which ``teacher`` or ``distill_from`` alone says what there is: files
            that viner reads, annotated or not, folders, patterns. Annotated documents among them are left out.
        adapt: Texts that the base learns from by masked language modeling before it is trained for the task (Gururangan et al.,
            2020): files that viner reads, annotated or not, folders, patterns. Documents of ``dev`` and ``test`` are left out.
        schema: Types with descriptions and colors; None infers them from the data, or takes those of ``distill_from`` or
            ``teacher``.
        source: Where the data comes from, for the model card: name, license, languages; None where nobody says.
        format: Format of the annotated files; None finds it out for each.
        read_options: Options of that format, such as ``{"tag_column": 3}``.
        allow_bin: Accept a base whose weights are in PyTorch's ``.bin`` format.
        segmenter: What groups syllables into the segments that the model reads, or "none"; None takes what the base learned
            from: segments for PhoBERT and its like, words for others. Entities stay on words either way.
        engine: What runs, "int8", "fp32" or "cascade"; None takes int8 where it finds the same entities as float32, else what
            of the other two is faster and finds them.
        refit: When dev has chosen, train once more from the base on ``train`` and ``dev`` together, for as many epochs and with
            the same rate, and keep that model. Engine, calibration and the figures on dev are those of the training before,
            which had not learned it. It takes twice the time; each of both trainings has half of a budget.
        overwrite: Replace a model that is there.
        track: Experiment trackers that are told of the training, by accelerate's names, such as ``["tensorboard"]``.
        track_dir: Folder in which those that write files get one of the model's name; None takes ``OUT.tracking``.
        report: Where progress goes; None writes to stderr.
        **choices: Fields of :class:`viner.training.config.TrainingConfig`, and with ``adapt_`` before their names those of
            :class:`viner.training.adapt_config.AdaptConfig`, such as ``adapt_budget_minutes``.

    Returns:
        ``out``.

    Raises:
        InputError: If a file cannot be read or holds nothing to learn from, or the texts to adapt to are too few.
        SchemaError: If a file holds a label that the schema, or what teaches, lacks, or teachers know different labels.
        BundleError: If base or model cannot be used, a base to adapt has no mask piece, or ``out`` exists or cannot be written.
        TrainingError: If another training writes there, the model learns nothing, or no layer of it can be left out.
        UsageError: If options exclude each other, the engine is unknown, or there are not so many layers.
        MissingExtraError: If the training libraries, or the segmenter, are missing.
        MissingPackageError: If the library of a tracker is missing.
    """
    require_training()
    from viner.training.checkpoint import TrainingFolder
    from viner.training.data import usable_overlap
    from viner.training.distributed import Processes
    from viner.training.precision import begun_in, has_bf16
    from viner.training.tracking import Tracking

    if engine is not None:
        check_engine(engine)
    target = Path(out)
    if target.name in ("", ".."):
        target = target.resolve()
    _check_target(target, overwrite)
    adaptation = Adaptation.find(adapt, choices, distill_from)
    plain = PlainTexts.find(unlabeled, "--unlabeled")
    start = Start.find(base, distill_from, layers, teacher=teacher, allow_bin=allow_bin)
    if plain is not None and start.model is None and not start.teachers:
        raise UsageError(
            "--unlabeled goes with --teacher or --distill-from, since somebody has to say what is in the texts",
            hint="Train a model on the annotated files and name it with --teacher, or let the encoder alone read them: --adapt",
        )
    reads = start.segmenter(segmenter)
    config = start.config(choices, reads)
    if refit and config.budget_minutes is not None:
        config = replace(config, budget_minutes=config.budget_minutes / 2)
    working = TrainingFolder(target.with_name(f"{target.name}.training"))
    begun = begun_in(working.log) if config.precision is None and working.has_begun else None
    changed = begun == "bf16" and not has_bf16()
    processes = Processes("fp32" if changed else config.precision or begun)
    report = (report or Report()) if processes.main else Report(io.StringIO())
    if changed:
        report.line(
            "Warning: it was begun in bf16, which this machine does not have; it goes on in float32, as another training"
        )
    place = target.with_name(f"{target.name}.tracking") if track_dir is None else Path(track_dir) / target.name
    tracking = Tracking(track, place, target.name, _facts(start, config), report.line)
    # Read everything first: a broken dev or test file should not be found after an hour of training.
    material = Material.read(
        start, reads, train, dev, seed=config.seed, schema=schema, format=format, read_options=read_options
    )
    tested = None if test is None else annotated(test, format, read_options)
    if tested is not None:
        refuse_partial(tested, "score", where=test)
        if test is not None:
            _check_tested(start, material, test, tested, report, given=schema is not None)
    scored = [(dev or train, material.dev), *([] if test is None or tested is None else [(test, tested)])]
    _check_teachers(start, scored, None if dev is not None else material.whole, report)
    _tell_learned(material.train, scored, report)
    reading = Reading((train, dev, test), format, read_options or {})
    if plain is not None:
        report.stage("Reading the texts to learn from")
        material = material.with_unlabeled(plain, reading, tested or ())
    texts = None
    if adaptation is not None:
        processes.refuse_others("--adapt")
        report.stage("Reading the texts to adapt to")
        texts = adaptation.prepare(start, config, reads, [*material.dev, *(tested or ())], reading)
    with working if processes.main else nullcontext(working) as folder, tracking:
        with TrainingLog(folder.log, report, tracking) as log:
            taught_by = start.teacher(material.labels, reads)
            adapted = None
            if texts is not None:
                # A trainer that is not used refuses now what another would refuse after hours of adaptation.
                material.trainer(config, log, teacher=taught_by)
                adapted = texts.adapt(folder, log)
                log.prologue = adapted.log
                material = material.starting_from(adapted.folder)
            result = material.trainer(config, log, teacher=taught_by, processes=processes).run(folder)
            info = BundleInfo(
                schema=Schema((material.schema[ENTITIES],)),  # what else a project asks for, this model does not answer
                heads=(Head.softmax_bio(ENTITIES, material.labels),),
                # As in training: a base that reads little cannot overlap by as much as was asked for.
                windows=Windows(result.encoder.max_pieces, usable_overlap(config.window_overlap, result.encoder)),
                engine="fp32",
                views=config.views,
                segmenter=reads,
                base={
                    **start.describe(taught_by, result.teacher_f1),
                    **({} if texts is None or adapted is None else {ADAPTED: texts.describe(adapted)}),
                },
                data={
                    **({} if source is None else {"source": source.to_dict()}),
                    **material.describe(),
                    **({} if tested is None else {"test": fingerprint(tested)}),
                    **({} if plain is None else {UNLABELED: {**plain.counts, **material.describe_unlabeled()}}),
                    "lost_entities": result.lost,
                    **({"hardened": config.harden} if config.harden else {}),
                },
            )
            decision = None
            if refit:
                if processes.main:
                    with folder.scratch() as scratch:
                        decision = decide(scratch, result, info, start.folder, material.dev, engine, report)
                processes.wait()
                report.stage("Beginning anew, with dev as well")
                whole, plan = material.with_dev(), result.plan
                del result  # and its model, which would take up memory beside the next one
                result = whole.trainer(config, log, teacher=taught_by, processes=processes, refit=plan).run(folder)
                info = replace(info, data={**info.data, WHOLE: whole.whole, "lost_entities": result.lost, REFIT: True})
        if not processes.main:
            processes.wait()
            return target
        with BundleWriter(target, overwrite=overwrite) as writer:
            if decision is None:
                decision = decide(writer.folder, result, info, start.folder, material.dev, engine, report)
            else:
                decision = decision.of_refit(info.data)
                export_as_decided(writer.folder, result, decision, start.folder, report)
            metrics = finish(writer, result, decision, tested, folder.log, report)
        for split in ("dev", DEV_BEFORE, "test"):
            if split in metrics:
                tracking.scores(split, metrics[split]["micro"])
        folder.remove()
    processes.wait()
    return target


def _facts(start: Start, config: TrainingConfig) -> dict[str, Any]:
    """What trackers are told of a training before it begins."""
    base = start.origin.get("name") or start.origin.get("id")
    return {"viner": __version__, "base": base, **{f"choice/{name}": value for name, value in config.to_dict().items()}}


def _check_teachers(
    start: Start, scored: Sequence[tuple[str | Path, Sequence[Document]]], whole: Mapping[str, Any] | None, report: Report
) -> None:
    """Tells of models that have learned what the new one is scored on, and refuses one whose layers the new one begins with.

    Args:
        start: What the training starts from.
        scored: The documents, each with the file that they come from, dev first.
        whole: Fingerprint of the documents that dev was set aside from; None where it was given.
        report: Where it is told.
    """
    prints = [(file, fingerprint(documents)) for file, documents in scored]
    for model in (*start.teachers, *([] if start.model is None else [start.model])):
        data = model.info.data
        for index, (file, known) in enumerate(prints):
            if not has_learned(data, known) and not (index == 0 and whole and has_learned_of(data, whole, known)):
                continue
            if model is start.model:
                raise InputError(
                    "the model to distill from has learned these documents, so its student would be scored on what it knows",
                    where=file,
                    hint="Give documents that it has not learned, or distill from one that was trained without --refit; if both"
                    " set dev aside, with the same --seed",
                )
            report.line(f"Warning: the teacher {model.path} has learned the documents of {file}, where its student is scored")


def _check_tested(
    start: Start, material: Material, test: str | Path, documents: Sequence[Document], report: Report, *, given: bool
) -> None:
    """Labels of the test file that the model will not have, told before it is trained.

    Args:
        start: What is trained.
        material: What it learns.
        test: The file.
        documents: Its documents.
        report: Where it is told.
        given: Whether somebody said which labels there are, a schema or a teacher; else those of train are all.

    Raises:
        SchemaError: If there are others than those that were given.
    """
    if given or start.model is not None or start.teachers:
        start.check_labels(material.labels, documents, where=test)
    known = set(material.labels)
    unknown = Counter(entity.label for document in documents for entity in document.entities or () if entity.label not in known)
    if unknown:
        told = ", ".join(f"{label} ({count:,})" for label, count in sorted(unknown.items()))
        report.line(f"Warning: {test} has labels that the training files have nowhere, so none is found: {told}")


def _tell_learned(learned: Iterable[Document], scored: Iterable[tuple[str | Path, Sequence[Document]]], report: Report) -> None:
    """Tells where many of the texts that a model is scored on are among those that it learns."""
    texts = {bare_text(document.text) for document in learned}
    for file, documents in scored:
        known = sum(bare_text(document.text) in texts for document in documents)
        if known > _KNOWN_SHARE * len(documents):
            report.line(
                f"Warning: {known:,} of {len(documents):,} documents of {file} are learned as well, so figures there say little"
                " of other texts (viner lint lists them)"
            )


def _check_target(target: Path, overwrite: bool) -> None:
    """Finds out before an hour of training what the writer would find out after it."""
    try:
        str(target.resolve()).encode()
    except UnicodeEncodeError:
        raise BundleError(
            "its name, or that of a folder above it, is not UTF-8: ONNX Runtime could not open what lies there",
            where=target,
            hint="Name another folder with --out",
        ) from None
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not overwrite:
        raise BundleError("it exists already", where=target, hint="Name a new folder with --out")
    if not (target / "viner.json").is_file():
        raise BundleError("it exists and is no model folder", where=target, hint="Name a new folder with --out")
