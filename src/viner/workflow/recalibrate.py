"""Calibrating a model that is there: other scores, the same entities, and a folder that stays whole."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from viner.bundle import Bundle, copy_bundle, find_bundle, revise
from viner.bundle.bundle import CARD
from viner.document import Document
from viner.errors import BundleError, InputError, UsageError
from viner.evaluation.confidence import Confidence, ConfidenceTally
from viner.evaluation.evaluate import evaluate_model
from viner.evaluation.markdown import markdown_table
from viner.metrics.calibration import IDENTITY, Calibration
from viner.paths import expanded
from viner.project import Project
from viner.project.toml import write_text
from viner.runtime import Recognizer
from viner.workflow.calibrate import calibrate
from viner.workflow.card import edited_card, model_card
from viner.workflow.fingerprint import are_same, fingerprint, has_learned
from viner.workflow.successor import project_of, succeed

CALIBRATION = "calibration"
"""Key of a model's ``data`` and ``metrics`` that says what its scores were fitted to, if not to dev, and what that is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """What became of the scores of a model.

    Args:
        model: The model folder.
        written: The folder that answers with the new scores: the same one, or its copy; None where nothing was written.
        previous: The calibration before; None for the model's own scores.
        calibration: The calibration that it has now, or would have.
        data: What it was fitted to, see :func:`viner.workflow.fingerprint.fingerprint`; None for none.
        before: The scores as they were.
        before_fitted: Whether these were fitted to the same documents, so that they look better there than on others.
        after: The scores of calibrations that were fitted to other documents of the file (cross-validation); None if unknown.
        card_kept: Whether the model card is an edited one, which goes on saying what it said.
        activated: Whether the copy now recognizes for its project.
    """

    model: Path
    written: Path | None
    previous: Calibration | None
    calibration: Calibration | None
    data: Mapping[str, Any] | None = None
    before: Confidence | None = None
    before_fitted: bool = False
    after: Confidence | None = None
    card_kept: bool = False
    activated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "model": str(self.model),
            "written": None if self.written is None else str(self.written),
            "previous": None if self.previous is None else self.previous.to_dict(),
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "data": None if self.data is None else dict(self.data),
            "before": None if self.before is None else self.before.to_dict(),
            "before_fitted": self.before_fitted,
            "after": None if self.after is None else self.after.to_dict(),
            "card_kept": self.card_kept,
            "activated": self.activated,
        }

    def to_markdown(self) -> str:
        """Figures before and after; empty where none were measured."""
        if self.before is None or self.data is None:
            return ""
        sides = [side for side in (self.before, self.after) if side is not None]
        heads = ["before", "after"][: len(sides)]
        figures = [
            ("expected calibration error", *(f"{side.ece:.4f}" for side in sides)),
            ("by chance alone", *(f"{side.chance:.4f}" for side in sides)),
            ("Brier score", *(f"{side.brier:.4f}" for side in sides)),
        ]
        kept = [
            (
                f"{rows[0].threshold:.2f}",
                *(f"{row.kept:.1%}" for row in rows),
                *("" if row.precision is None else f"{row.precision:.1%}" for row in rows),
            )
            for rows in zip(*(side.selective for side in sides), strict=True)
        ]
        told = (
            "After: each entity with the score of a calibration that was fitted to other documents (cross-validation)."
            if self.after is not None
            else "What the new scores are worth on other documents is not known: too few entities to set some aside."
        )
        if self.before_fitted:
            told += (
                "\nBefore: those scores were fitted to these very documents, where they look better than on others;"
                " so the two cannot be compared."
            )
        elif self.after is not None and self.after.brier >= self.before.brier:
            told += "\nOn other documents the new scores are no better than those before."
        head = ("score from", *(f"kept {name}" for name in heads), *(f"right {name}" for name in heads))
        return (
            f"{self.before.entities:,} entities were found in {self.data['documents']:,} documents.\n\n"
            f"{markdown_table(('', *heads), figures)}\n{markdown_table(head, kept)}\n{told}\n"
        )


def recalibrate_model(
    model: str | Path,
    documents: Sequence[Document] | None,
    *,
    where: str | Path | None = None,
    out: str | Path | None = None,
    dry_run: bool = False,
) -> Recalibration:
    """Calibrates a model to documents, or gives it back its own scores. It finds the same entities as before.

    ``viner.json`` is replaced at once, and the model card is written anew unless somebody edited it. Figures of scores by
    split, which were those of other scores, go. Three kinds of models are not changed:

    * One of a project, which may be in service, and which people and suggestions know by its number: the next number becomes a
      copy, which recognizes from then on if the model did.
    * One of the Hub, whose cache is the Hub's: it needs ``out``.
    * Any, where ``out`` says where a copy goes.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id.
        documents: Annotated documents that the model did not learn from; None takes the calibration away.
        where: The file that they come from, for messages.
        out: A new folder for a copy.
        dry_run: Measure, and write nothing.

    Raises:
        BundleError: If the model cannot be used or written, or ``out`` exists.
        UsageError: If the model belongs to the Hub's cache, and ``out`` is not given.
        InputError: If the documents are what the model learned from, have no entities, or say too little.
    """
    bundle = find_bundle(model, weights=out is not None)
    target = None if dry_run else _Target.of(model, bundle, out)
    previous = bundle.info.calibration
    if documents is None:
        if target is None or (previous is None and target.copy is None):
            return Recalibration(model=bundle.path, written=None, previous=previous, calibration=None)
        return target.write(bundle, Recalibration(model=bundle.path, written=None, previous=previous, calibration=None))
    scored = [document for document in documents if document.entities is not None]
    if documents and not scored:
        raise InputError("no document is annotated", where=where, hint="Calibrate on documents that say what they hold")
    data = fingerprint(scored)
    if has_learned(bundle.info.data, data):
        raise InputError(
            "the model learned from these documents, in which it is surer than in others",
            where=where,
            hint="Calibrate on documents that it has not seen",
        )
    recognizer = Recognizer.load(bundle.path).with_least_score(0)  # whoever asks for all entities sees scores of all
    fitted = calibrate(recognizer.calibrated_by(IDENTITY), scored, where=where)
    if fitted.calibration is None:
        raise InputError(
            f"{fitted.lack()}; nothing was changed", where=where, hint="Annotate more documents, or leave the scores"
        )
    if previous is None:
        tally = ConfidenceTally()
        evaluate_model(recognizer, scored, observe=tally.add)
        before = tally.confidence()
    else:
        before = Confidence.of(previous.applied(fitted.outcomes))
    found = Recalibration(
        model=bundle.path,
        written=None,
        previous=previous,
        calibration=fitted.calibration,
        data=data,
        before=before,
        before_fitted=previous is not None and are_same(bundle.info.data.get(CALIBRATION) or bundle.info.data.get("dev"), data),
        after=None if fitted.held_out is None else Confidence.of(fitted.held_out),
    )
    return found if target is None else target.write(bundle, found)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the new scores go: into a copy, into the next model of a project, or, if both are None, into the folder itself."""

    copy: Path | None = None
    project: Project | None = None

    @classmethod
    def of(cls, model: str | Path, bundle: Bundle, out: str | Path | None) -> _Target:
        """Looks, before anything takes time, whether something can be written."""
        if out is not None:
            if Path(out).exists():
                raise BundleError("it exists already", where=out, hint="Name a new folder with --out")
            return cls(copy=Path(out))
        project = project_of(bundle)
        if project is not None:
            return cls(project=project)
        if not expanded(model).exists() or _of_hub(bundle.path.resolve()):
            raise UsageError(
                "the model lies in the cache of the Hub, which is not changed",
                where=model,
                hint="Name a folder for a copy: --out DIR",
            )
        if not os.access(bundle.path, os.W_OK):
            raise BundleError("the folder cannot be written to", where=bundle.path, hint="Name a folder for a copy: --out DIR")
        return cls()

    def write(self, bundle: Bundle, found: Recalibration) -> Recalibration:
        """Writes what was found; returns it with what was written."""
        if self.project is not None:
            kept: list[bool] = []
            written, serves = succeed(self.project, bundle, lambda folder: kept.append(_copied(bundle, folder, found)))
            return replace(found, written=written, card_kept=kept[0], activated=serves)
        if self.copy is not None:
            return replace(found, card_kept=_copied(bundle, self.copy, found), written=self.copy)
        return replace(found, card_kept=_revised(bundle, found), written=bundle.path)


def _of_hub(place: Path) -> bool:
    from huggingface_hub import constants

    return place.is_relative_to(expanded(constants.HF_HUB_CACHE).resolve())


def _copied(bundle: Bundle, target: Path, found: Recalibration) -> bool:
    kept = []
    copy_bundle(bundle, target, lambda copy: kept.append(_revised(copy, found)))
    return kept[0]


def _revised(bundle: Bundle, found: Recalibration) -> bool:
    """Puts the calibration into a folder; whether its card is an edited one and stays."""

    def change(content: dict[str, Any]) -> None:
        content["calibration"] = {} if found.calibration is None else found.calibration.to_dict()
        for figures in content["metrics"].values():
            if isinstance(figures, dict):
                figures.pop("confidence", None)
        for part in ("data", "metrics"):
            content[part].pop(CALIBRATION, None)
        if found.data is not None and found.before is not None:
            content["data"][CALIBRATION] = dict(found.data)
            content["metrics"][CALIBRATION] = {
                "on": CALIBRATION,
                "before": found.before.to_dict(),
                "after": None if found.after is None else found.after.to_dict(),
            }

    info = revise(bundle, change)
    if edited_card(bundle.path) is not None:
        return True
    write_text(bundle.path / CARD, model_card(info))
    return False
