"""What a training leaves, made a model folder: exported, quantized, compared, calibrated, evaluated and described."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.bundle import BundleInfo, BundleWriter
from viner.bundle.info import place_of_graphs
from viner.document import Document
from viner.evaluation import Evaluation, evaluate_model
from viner.evaluation.confidence import ConfidenceTally
from viner.metrics.calibration import IDENTITY
from viner.runtime import Recognizer
from viner.schema import ENTITIES
from viner.workflow.calibrate import calibrate
from viner.workflow.card import model_card
from viner.workflow.choose import calibration_texts, choose_engine, recognizer_in, write_canaries
from viner.workflow.fingerprint import DEV_BEFORE, REFIT
from viner.workflow.progress import Report

if TYPE_CHECKING:
    from viner.training.trainer import TrainingResult

_TOKENIZER_FILES = ("tokenizer_config.json", "special_tokens_map.json")
_LOG_NAME = "training.jsonl"


@dataclass(frozen=True, slots=True)
class Decision:
    """What documents decided about a model that had not learned them, and what it reached there.

    Args:
        info: The model, with its engine, its calibration, and its figures on dev.
        dev: The evaluation on dev.
    """

    info: BundleInfo
    dev: Evaluation

    def of_refit(self, data: Mapping[str, Any]) -> Decision:
        """The same about a model that learned dev as well, with what is to be said of its data.

        Figures on dev are then called what they are: those of the model before it.
        """
        metrics = {DEV_BEFORE if name == "dev" else name: figures for name, figures in self.info.metrics.items()}
        return replace(self, info=replace(self.info, data=data, metrics=metrics, evidence={**self.info.evidence, REFIT: True}))


def decide(
    folder: Path,
    result: TrainingResult,
    info: BundleInfo,
    base: Path,
    dev: Sequence[Document],
    engine: str | None,
    report: Report,
) -> Decision:
    """Exports a model, chooses its engine, calibrates its scores, and evaluates it, all on dev.

    Args:
        folder: Where weights, tokenizer and the graphs of the engine go.
        result: The training.
        info: The model, in float32 and without figures.
        base: The encoder that training started from, with its tokenizer.
        dev: Documents that the model has not learned.
        engine: The engine that was asked for; None for none.
        report: Where progress goes.
    """
    exact, small = _export(folder, result, info, base, report)
    report.stage("Comparing int8 with float32")
    choice = choose_engine(info, folder, exact, small, dev, asked=engine)
    _keep_graphs(folder, choice.engine, exact, small)
    report.line(choice.summary())
    info = replace(info, engine=choice.engine, evidence=choice.evidence)
    report.stage("Evaluating")
    calibrated = calibrate(recognizer_in(folder, replace(info, calibration=IDENTITY)), dev)
    report.line(calibrated.summary())
    info = replace(info, calibration=calibrated.calibration, least_estimate=calibrated.least_estimate)
    evaluation, figures = _evaluated(recognizer_in(folder, info), dev)
    metrics = {"dev": figures, "calibration": {"on": "dev", **calibrated.to_dict()}}
    return Decision(replace(info, metrics=metrics), evaluation)


def export_as_decided(folder: Path, result: TrainingResult, decision: Decision, base: Path, report: Report) -> None:
    """Exports a model for the engine that has been chosen already.

    Args:
        folder: Where weights, tokenizer and the graphs of the engine go.
        result: The training.
        decision: What a model before it has decided.
        base: As for :func:`decide`.
        report: As for :func:`decide`.
    """
    exact, small = _export(folder, result, decision.info, base, report)
    _keep_graphs(folder, decision.info.engine, exact, small)


def finish(
    writer: BundleWriter,
    result: TrainingResult,
    decision: Decision,
    test: Sequence[Document] | None,
    log: Path,
    report: Report,
) -> Mapping[str, Any]:
    """Evaluates a model on test, writes what it says about itself, and finishes its folder; returns the metrics.

    Args:
        writer: Has the weights, the tokenizer and the graphs already.
        result: The training.
        decision: What was decided about it.
        test: Documents for the figures of the card; None for none.
        log: Of the training.
        report: Where progress goes.
    """
    info, folder = decision.info, writer.folder
    recognizer = recognizer_in(folder, info)
    split, shown = "dev", decision.dev
    metrics = dict(info.metrics)
    calibrated = metrics.pop("calibration")
    if DEV_BEFORE in metrics:
        split = "dev, the model before it, which had not learned dev"
    if test is not None:
        split = "test"
        shown, metrics["test"] = _evaluated(recognizer, test)
    trained = {
        "epochs": len(result.history),
        "seconds": round(result.training_seconds, 1),
        "pieces_per_second": result.pieces_per_second,
    }
    info = replace(info, metrics={**metrics, "calibration": calibrated, "training": trained})
    write_canaries(recognizer, folder)
    shutil.copyfile(log, folder / _LOG_NAME)
    (folder / "README.md").write_text(model_card(info), encoding="utf-8")
    writer.finish(info)
    report.line(f"\nOn {split}:\n\n{shown.to_markdown()}")
    if not shown.scores.micro.correct:
        report.line("The model finds nothing: it needs more epochs, more time or more annotated documents.")
    return info.metrics


def _export(folder: Path, result: TrainingResult, info: BundleInfo, base: Path, report: Report) -> tuple[Path, Path]:
    """Writes weights, tokenizer and both graphs; returns the places of the graphs, float32 first."""
    from viner.training.export import export_onnx
    from viner.training.model import save_stock, to_stock
    from viner.workflow.packing import pack_file
    from viner.workflow.quantize import quantize_rows, sample_texts

    report.stage("Exporting to ONNX")
    stock = to_stock(result.model, result.head)
    save_stock(stock, folder)
    _copy_tokenizer(base, folder)
    exact, small = folder / "fp32.onnx", folder / "int8.onnx"
    export_onnx(stock, exact, ENTITIES)
    quantize_rows(exact, small, sample_texts(result.encoder, calibration_texts(), info.segmenter), compact=True)
    pack_file(exact)
    return exact, small


def _keep_graphs(folder: Path, engine: str, exact: Path, small: Path) -> None:
    """Puts the graphs of an engine into their places, and removes what it does not need."""
    from viner.training.graph_file import move_graph, remove_graph

    graphs = {"int8": small, "fp32": exact}
    for kind, name in place_of_graphs(engine).items():
        move_graph(graphs.pop(kind), folder / name)
    for left in graphs.values():
        remove_graph(left)


def _evaluated(recognizer: Recognizer, documents: Sequence[Document]) -> tuple[Evaluation, dict[str, Any]]:
    """The evaluation, and the figures of it that a model folder keeps."""
    tally = ConfidenceTally()
    evaluation = evaluate_model(recognizer, documents, observe=tally.add)
    return evaluation, {**evaluation.to_dict(), "confidence": tally.confidence().to_dict()}


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
