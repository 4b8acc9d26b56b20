"""A model that runs another of its graphs, int8 or float32, or both in a cascade, without training."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from viner.bundle import Bundle, BundleInfo, BundleWriter, find_bundle
from viner.bundle.bundle import CARD
from viner.bundle.hub import download
from viner.bundle.info import GRAPH, GRAPHS, MEASURED_WITH, check_engine, graphs_of, place_of_graphs
from viner.bundle.revise import copy_files
from viner.corpus import refuse_partial
from viner.document import Document
from viner.errors import BundleError, InputError, UsageError
from viner.paths import expanded
from viner.training.graph_file import copy_graph
from viner.workflow.card import edited_card, model_card
from viner.workflow.choose import SENTENCES, Choice, choose_engine, recognizer_in, write_canaries
from viner.workflow.fingerprint import LEARNED, Fingerprint, has_learned
from viner.workflow.progress import Report
from viner.workflow.rebuild import build_graph
from viner.workflow.recalibrate import CALIBRATION
from viner.workflow.successor import project_of, succeed


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChange:
    """What became of a model.

    Args:
        model: The model folder.
        previous: The engine that it runs.
        written: The folder that runs the other one; None where nothing was written.
        choice: The comparison of both on the documents.
        card_kept: Whether the model card is an edited one, which goes on saying what it said.
        activated: Whether the new folder now recognizes for its project.
    """

    model: Path
    previous: str
    written: Path | None
    choice: Choice
    card_kept: bool = False
    activated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "model": str(self.model),
            "previous": self.previous,
            "engine": self.choice.engine,
            "written": None if self.written is None else str(self.written),
            "evidence": dict(self.choice.evidence),
            "card_kept": self.card_kept,
            "activated": self.activated,
        }


def take_engine(
    model: str | Path,
    engine: str,
    documents: Iterable[Document],
    *,
    where: str | Path | None = None,
    out: str | Path | None = None,
    dry_run: bool = False,
    report: Report | None = None,
) -> EngineChange:
    """Makes a model folder that runs something else than a model does. The model stays as it is.

    A graph that it does not hold is built from the weights, and all are compared on the documents alone; what card and
    ``viner.json`` say of the engine is of that comparison, without an F1 where the model has learned the documents. Figures by
    split and the calibration stay those of the engine before, and are marked so. Of a project the next number becomes the new
    model, which recognizes from then on if the model did.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id.
        engine: "int8", "fp32" or "cascade".
        documents: Texts of the kind that the model is for; annotated ones give F1. The first :data:`SENTENCES` are compared.
        where: The file that they come from, for messages.
        out: The folder to be; None is for the models of a project alone.
        dry_run: Compare, and write nothing.
        report: Where progress goes; None means stderr.

    Raises:
        BundleError: If the model cannot be used or written, or ``out`` exists.
        InputError: If there are no documents, one is annotated only in part, or no graph finds an entity in them.
        MissingExtraError: If a graph is to be built, and torch, transformers or onnx is missing.
        UsageError: If there is no such engine, the model runs it, or ``out`` is missing.
    """
    check_engine(engine)
    if out is not None and Path(out).exists():
        raise BundleError("it exists already", where=out, hint="Name a new folder with --out")
    rest = iter(documents)
    compared = list(islice(rest, SENTENCES))
    if not compared:
        raise InputError("there is no document to compare on", where=where)
    refuse_partial(compared, "compare on", where=where)
    bundle = find_bundle(model, weights=False)
    previous = bundle.info.engine
    if engine == previous:
        raise UsageError(f"the model runs {engine} already", where=model)
    project = project_of(bundle) if out is None else None
    if project is not None:
        project.active_model()  # what is wrong with it should not be found after the work
    elif out is None and not dry_run:
        raise UsageError("a model that is in no project stays as it is", hint="Name a folder for the new one: --out DIR")
    bundle = find_bundle(model)
    if not expanded(model).exists():
        download(str(model), (CARD,))  # recognition does without, so it is not there yet
    report = report or Report()
    learned = _has_learned(bundle.info, compared, rest)
    if learned:
        report.line(
            f"Warning: {model} has learned the documents{'' if where is None else f' of {where}'}; in others it finds less, so"
            " F1 is not told"
        )
    with tempfile.TemporaryDirectory(prefix="viner-graph-") as scratch:
        graphs = {kind: bundle.graph_of(kind) for kind in graphs_of(previous)}
        for kind in GRAPHS:
            if kind not in graphs:
                report.stage(f"Building the {kind} graph")
                graphs[kind] = build_graph(bundle, kind, Path(scratch) / GRAPH)
        report.stage("Comparing int8 with float32")
        everything = replace(bundle.info, least_estimate=0.0)
        choice = choose_engine(everything, bundle.path, graphs["fp32"], graphs["int8"], compared, asked=engine, fill=False)
        if learned:
            evidence = {name: fact for name, fact in choice.evidence.items() if name != "dev_f1"}
            choice = replace(choice, evidence={**evidence, LEARNED: True})
        if not choice.evidence["entities"]:
            raise InputError(
                "the model finds nothing in these texts", where=where, hint="Compare on texts of the kind that it is for"
            )
        found = EngineChange(model=bundle.path, previous=previous, written=None, choice=choice)
        if dry_run:
            return found
        kept = edited_card(bundle.path)
        info = _changed(bundle.info, choice)
        if project is not None:
            written, activated = succeed(project, bundle, lambda folder: _write(bundle, info, graphs, folder, kept))
        else:
            assert out is not None  # it was checked
            written, activated = Path(out), False
            _write(bundle, info, graphs, written, kept)
    return replace(found, written=written, card_kept=kept is not None, activated=activated)


def _has_learned(info: BundleInfo, compared: list[Document], rest: Iterator[Document]) -> bool:
    """Whether a model learned the documents that are compared and those that follow them, which all are of one file."""
    seen = Fingerprint()
    if any(document.entities is not None for document in compared):
        for document in chain(compared, rest):
            if document.entities is not None:
                seen.add(document)
    return has_learned(info.data, seen.to_dict())


def _changed(info: BundleInfo, choice: Choice) -> BundleInfo:
    """What the new folder says: its engine and why, and which engine its figures and its calibration were made with."""
    metrics = dict(info.metrics)
    if isinstance(metrics.get(CALIBRATION), Mapping):
        metrics[CALIBRATION] = _marked(metrics[CALIBRATION], metrics[CALIBRATION], info.engine, choice.engine)
    evidence = _marked(choice.evidence, info.evidence, info.engine, choice.engine)
    return replace(info, engine=choice.engine, evidence=evidence, metrics=metrics)


def _marked(facts: Mapping[str, Any], before: Mapping[str, Any], previous: str, engine: str) -> dict[str, Any]:
    measured = before.get(MEASURED_WITH, previous)
    unmarked = {key: value for key, value in facts.items() if key != MEASURED_WITH}
    return unmarked if measured == engine else {**unmarked, MEASURED_WITH: measured}


def _write(bundle: Bundle, info: BundleInfo, graphs: Mapping[str, Path], target: Path, card: str | None) -> None:
    with BundleWriter(target) as writer:
        folder = writer.folder
        copy_files(bundle, (name for name in info.files if not name.startswith(GRAPH)), folder)
        for kind, name in place_of_graphs(info.engine).items():
            copy_graph(graphs[kind], folder / name)
        write_canaries(recognizer_in(folder, info), folder)
        (folder / CARD).write_text(model_card(info) if card is None else card, encoding="utf-8")
        writer.finish(info)
