"""Training from files to a finished model folder: what ``viner train`` and the console's button both call."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.bundle import BundleInfo, BundleWriter, Head, Origin, Windows
from viner.bundle.info import check_engine, place_of_graphs
from viner.corpus import refuse_partial
from viner.document import Document
from viner.errors import BundleError, UsageError
from viner.evaluation import Evaluation, evaluate_model
from viner.evaluation.confidence import ConfidenceTally
from viner.metrics.calibration import IDENTITY
from viner.schema import ENTITIES, Schema
from viner.version import __version__
from viner.workflow.adapt import Adaptation
from viner.workflow.calibrate import calibrate
from viner.workflow.card import model_card
from viner.workflow.choose import Choice, calibration_texts, choose_engine, recognizer_in, write_canaries
from viner.workflow.fingerprint import WHOLE, fingerprint
from viner.workflow.lineage import ADAPTED, UNLABELED
from viner.workflow.material import Material, annotated, require_training
from viner.workflow.progress import Report, TrainingLog
from viner.workflow.start import Start
from viner.workflow.texts import PlainTexts, Reading

if TYPE_CHECKING:
    from viner.training.config import TrainingConfig
    from viner.training.trainer import TrainingResult

_TOKENIZER_FILES = ("tokenizer_config.json", "special_tokens_map.json")
_LOG_NAME = "training.jsonl"


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
    processes = Processes(config.precision)
    report = (report or Report()) if processes.main else Report(io.StringIO())
    place = target.with_name(f"{target.name}.tracking") if track_dir is None else Path(track_dir) / target.name
    tracking = Tracking(track, place, target.name, _facts(start, config), report.line)
    # Read everything first: a broken dev or test file should not be found after an hour of training.
    material = Material.read(
        start, reads, train, dev, seed=config.seed, schema=schema, format=format, read_options=read_options
    )
    tested = None if test is None else annotated(test, format, read_options)
    if tested is not None:
        refuse_partial(tested, "score", where=test)
    reading = Reading((train, dev, test), format, read_options or {})
    if plain is not None:
        report.stage("Reading the texts to learn from")
        material = material.with_unlabeled(plain, reading, tested or ())
    texts = None
    if adaptation is not None:
        processes.refuse_others("--adapt")
        report.stage("Reading the texts to adapt to")
        texts = adaptation.prepare(start, config, reads, [*material.dev, *(tested or ())], reading)
    working = TrainingFolder(target.with_name(f"{target.name}.training"))
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
            trainer = material.trainer(config, log, teacher=taught_by, processes=processes)
            result = trainer.run(folder)
        if not processes.main:
            processes.wait()
            return target
        info = BundleInfo(
            schema=material.schema,
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
                "train": fingerprint(material.train),
                "dev": fingerprint(material.dev),
                **({} if material.whole is None else {WHOLE: material.whole}),
                **({} if tested is None else {"test": fingerprint(tested)}),
                **({} if plain is None else {UNLABELED: {**plain.counts, "sha256": fingerprint(material.unlabeled)["sha256"]}}),
                "lost_entities": result.lost,
                **({"hardened": config.harden} if config.harden else {}),
            },
        )
        with BundleWriter(target, overwrite=overwrite) as writer:
            metrics = _finish(writer, result, info, start.folder, material.dev, tested, engine, folder.log, report)
        for split in ("dev", "test") if tested is not None else ("dev",):
            tracking.scores(split, metrics[split]["micro"])
        folder.remove()
    processes.wait()
    return target


def _finish(
    writer: BundleWriter,
    result: TrainingResult,
    info: BundleInfo,
    base: Path,
    dev: Sequence[Document],
    test: Sequence[Document] | None,
    engine: str | None,
    log: Path,
    report: Report,
) -> Mapping[str, Any]:
    """Exports, quantizes, chooses, calibrates, evaluates and writes all into the writer's folder; returns the metrics."""
    from dataclasses import replace

    from viner.training.export import export_onnx
    from viner.training.graph_file import move_graph, remove_graph
    from viner.training.model import save_stock, to_stock
    from viner.workflow.packing import pack_file
    from viner.workflow.quantize import quantize_rows, sample_texts

    folder = writer.folder
    report.stage("Exporting to ONNX")
    stock = to_stock(result.model, result.head)
    save_stock(stock, folder)
    _copy_tokenizer(base, folder)
    exact, small = folder / "fp32.onnx", folder / "int8.onnx"
    export_onnx(stock, exact, ENTITIES)
    quantize_rows(exact, small, sample_texts(result.encoder, calibration_texts(), info.segmenter), compact=True)
    pack_file(exact)
    report.stage("Comparing int8 with float32")
    choice: Choice = choose_engine(info, folder, exact, small, dev, asked=engine)
    graphs = {"int8": small, "fp32": exact}
    for kind, name in place_of_graphs(choice.engine).items():
        move_graph(graphs.pop(kind), folder / name)
    for left in graphs.values():
        remove_graph(left)
    report.line(choice.summary())
    info = replace(info, engine=choice.engine, evidence=choice.evidence)
    report.stage("Evaluating")
    uncalibrated = replace(info, calibration=IDENTITY)
    calibrated = calibrate(recognizer_in(folder, uncalibrated), dev)
    report.line(calibrated.summary())
    info = replace(info, calibration=calibrated.calibration, least_estimate=calibrated.least_estimate)
    recognizer = recognizer_in(folder, info)
    evaluations: dict[str, Evaluation] = {}
    metrics: dict[str, Any] = {}
    for split, documents in {"dev": dev, **({} if test is None else {"test": test})}.items():
        tally = ConfidenceTally()
        evaluations[split] = evaluate_model(recognizer, documents, observe=tally.add)
        metrics[split] = {**evaluations[split].to_dict(), "confidence": tally.confidence().to_dict()}
    info = replace(
        info,
        metrics={
            **metrics,
            "calibration": {"on": "dev", **calibrated.to_dict()},
            "training": {
                "epochs": len(result.history),
                "seconds": round(sum(entry["seconds"] for entry in result.history), 1),
                "pieces_per_second": result.pieces_per_second,
            },
        },
    )
    write_canaries(recognizer, folder)
    shutil.copyfile(log, folder / _LOG_NAME)
    (folder / "README.md").write_text(model_card(info), encoding="utf-8")
    writer.finish(info)
    split = "test" if test is not None else "dev"
    report.line(f"\nOn {split}:\n\n{evaluations[split].to_markdown()}")
    if not evaluations[split].scores.micro.correct:
        report.line("The model finds nothing: it needs more epochs, more time or more annotated documents.")
    return info.metrics


def _facts(start: Start, config: TrainingConfig) -> dict[str, Any]:
    """What trackers are told of a training before it begins."""
    base = start.origin.get("name") or start.origin.get("id")
    return {"viner": __version__, "base": base, **{f"choice/{name}": value for name, value in config.to_dict().items()}}


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


def _copy_tokenizer(base: Path, folder: Path) -> None:
    """Puts the tokenizer in as the fast one, whatever form the base had it in."""
    from viner.encoding.phobert import PHOBERT_TOKENS
    from viner.encoding.tokenizer import load_tokenizer

    if (base / "tokenizer.json").is_file():
        shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")
    else:
        load_tokenizer(base).save(str(folder / "tokenizer.json"))
    for name in _TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    config = folder / "tokenizer_config.json"
    if not (base / "tokenizer.json").is_file():
        # PhoBERT's own class is slow and reads no tokenizer.json; the generic fast one does.
        config.write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **PHOBERT_TOKENS}) + "\n", encoding="utf-8")
    elif not config.is_file():
        config.write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}\n', encoding="utf-8")
