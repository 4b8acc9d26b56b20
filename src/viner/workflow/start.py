"""What a training starts from: a base encoder, with teachers or without, or a finished model that becomes a smaller one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.base import origin, resolve
from viner.bundle import WEIGHTS, Bundle, SegmenterRecord, find_bundle
from viner.document import Document
from viner.encoding import SEGMENTS, learned_segments
from viner.encoding.tokenizer import load_tokenizer
from viner.errors import BundleError, MissingExtraError, SchemaError, UsageError
from viner.paths import expanded
from viner.schema import ENTITIES, Schema
from viner.text import DEFAULT_SEGMENTER
from viner.workflow.card import with_card
from viner.workflow.lineage import DISTILLED, TAUGHT, as_teacher
from viner.workflow.segments import in_segments

if TYPE_CHECKING:
    from viner.training.config import TrainingConfig
    from viner.training.teacher import Teacher

WORDS = "none"
"""In the place of a segmenter's name: the model reads words as they are."""


@dataclass(frozen=True, slots=True)
class Start:
    """A base encoder or a model to distill from, found and checked.

    Args:
        folder: Where its weights and its tokenizer are.
        origin: What ``viner.json`` says of it.
        model: The model to distill from; None for a base encoder.
        layers: Layers of the smaller model; None halves them.
        teachers: Models whose answer a base learns.
    """

    folder: Path
    origin: Mapping[str, Any]
    model: Bundle | None = None
    layers: int | None = None
    teachers: tuple[Bundle, ...] = ()

    @classmethod
    def find(
        cls,
        base: str | Path | None,
        distill_from: str | Path | None,
        layers: int | None = None,
        *,
        teacher: str | Path | Sequence[str | Path] | None = None,
        allow_bin: bool = False,
    ) -> Start:
        """Finds what a training was told to start from.

        Args:
            base: A folder or Hub id; None takes the bundled encoder.
            distill_from: A model folder with weights, a project or a Hub id; None trains from the base.
            layers: Layers of the smaller model.
            teacher: Models whose answer the base learns, named as that one is.
            allow_bin: Accept a base whose weights are in PyTorch's ``.bin`` format.

        Raises:
            UsageError: If the options exclude each other.
            BundleError: If there is none of that name, or it cannot be used.
            SchemaError: If teachers know different labels.
            InputError: If a project has no model yet.
        """
        names = [teacher] if isinstance(teacher, str | Path) else [*(teacher or ())]
        if distill_from is None:
            if layers is not None:
                raise UsageError(
                    "--layers goes with --distill-from only", hint="A model that is trained from a base has all of its layers"
                )
            folder = resolve(base, allow_bin=allow_bin)
            told = origin(base, folder).to_dict()
            teachers = tuple(_finished(name) for name in names)
            for one in teachers[1:]:
                _check_same_labels(one, teachers[0].info.schema, f"{names[0]}, the other teacher")
            if teachers:
                pairs = zip(teachers, names, strict=True)
                told = {**told, TAUGHT: {"models": [_described(model, name, with_base=True) for model, name in pairs]}}
            return cls(folder, told, teachers=teachers)
        if names:
            raise UsageError(
                "--teacher and --distill-from exclude each other: a smaller model learns from the one that it is a part of",
                hint="Leave one of them away: --distill-from makes a smaller model of another one, --teacher one of a base",
            )
        if base is not None:
            raise UsageError(
                "--base and --distill-from exclude each other: a distilled model starts from the layers of the larger one",
                hint="Leave one of them away",
            )
        model = _finished(distill_from)
        folder = resolve(model.path)
        known = {key: value for key, value in model.info.base.items() if key not in (DISTILLED, TAUGHT)}
        return cls(folder, {**known, DISTILLED: _described(model, distill_from, with_base=False)}, model, layers)

    def segmenter(self, name: str | None) -> SegmenterRecord | None:
        """What groups words into the segments that the model will read; None where it will read words.

        Args:
            name: The segmenter that was asked for, or "none"; None takes what the base learned from.

        Raises:
            UsageError: If there is none of that name, or the model to distill from reads otherwise.
            MissingExtraError: If what it needs is not installed.
        """
        if self.model is not None:
            taught = self.model.info.segmenter
            reading = WORDS if taught is None else taught.name
            if name not in (None, reading):
                raise UsageError(
                    f"segmenter is that of the model to distill from: {reading!r}, not {name!r}",
                    hint="Leave it away; how a model reads is part of what it has learned",
                )
            return taught
        if name == WORDS or (name is None and not learned_segments(load_tokenizer(self.folder))):
            return None
        try:
            own = SegmenterRecord.named(name or DEFAULT_SEGMENTER)
        except MissingExtraError as error:
            if name is None:
                error.hint = f"The base learned from segments. {error.hint}; or let it read syllables: --segmenter {WORDS}"
            raise
        for teacher in self.teachers:
            theirs = teacher.info.segmenter
            if theirs is None or theirs.name != own.name:
                raise UsageError(
                    f"the base reads segments of {own.name}, and a teacher"
                    f" {'words' if theirs is None else f'segments of {theirs.name}'}",
                    where=teacher.path,
                    hint=f"Let the base read words, which any teacher can teach: --segmenter {WORDS}",
                )
        return own

    def config(self, choices: Mapping[str, Any], segmenter: SegmenterRecord | None = None) -> TrainingConfig:
        """The choices of the training; a distilled model reads as the larger one does.

        Args:
            choices: What was asked for.
            segmenter: From :meth:`segmenter`.

        Raises:
            UsageError: If a choice cannot be, or would make it read otherwise.
        """
        from viner.training.config import TrainingConfig

        # The choices of a run have been JSON, which has no tuples.
        choices = {name: tuple(value) if isinstance(value, list) else value for name, value in choices.items()}
        if self._taught is not None:
            learns = "--teacher" if self.teachers else "--distill-from"
            for name, why in (
                ("r_drop", "what a student answers is drawn to its teacher's answer"),
                ("adversarial", "what the teacher would say of moved vectors is not known"),
            ):
                if choices.get(name):
                    option = f"--{name.replace('_', '-')}"
                    raise UsageError(
                        f"{option} and {learns} exclude each other: {why}",
                        hint=f"Leave one of them away; the teacher may well have been trained with {option}",
                    )
        else:
            for name in ("imitation", "temperature", "closeness"):
                if name in choices:
                    raise UsageError(
                        f"{name} says how a student learns from a teacher, and there is none",
                        hint="Name one with --teacher or --distill-from, or leave it away",
                    )
        if self.model is None:
            config = TrainingConfig(**choices)
            return config if segmenter is None else replace(config, views=(*config.views, SEGMENTS))
        info = self.model.info
        reading = {"views": info.views, "window_pieces": info.windows.pieces, "window_overlap": info.windows.overlap}
        for name in reading.keys() & choices.keys():
            if choices[name] != reading[name]:
                raise UsageError(
                    f"{name} is that of the model to distill from: {reading[name]!r}, not {choices[name]!r}",
                    hint="Leave it away; how a model reads is part of what it has learned",
                )
        # A part of a model begins with what that knows of the task, and all of its layers have to close up. How it is with
        # mentions replaced, nobody measured.
        return TrainingConfig(**{"layer_decay": 1.0, "replace_mentions": 0.0, **choices, **reading})

    def schema(self, given: Schema | None, documents: Iterable[Document]) -> Schema:
        """The schema of the new model.

        Args:
            given: The one that was asked for, if any.
            documents: Where labels come from if nobody says.

        Raises:
            SchemaError: If the model to distill from, or a teacher, has other labels.
        """
        taught = self._taught
        if taught is None:
            return given or Schema.infer(documents)
        if given is None:
            return taught.info.schema
        for model in self.teachers or (taught,):
            _check_same_labels(model, given, "the schema")
        return given

    def check_labels(self, labels: Sequence[str], documents: Iterable[Document], *, where: str | Path) -> None:
        """Makes sure that documents hold no other labels.

        Args:
            labels: From :meth:`labels`.
            documents: The documents.
            where: The file that they come from.

        Raises:
            SchemaError: If one does; ``where`` is the file.
        """
        known = set(labels)
        for document in documents:
            for entity in document.entities or ():
                if entity.label not in known:
                    hint = f"Known: {', '.join(labels)}"
                    if self.model is not None:
                        hint = f"The model to distill from knows: {', '.join(labels)}; train one with the new label first"
                    elif self.teachers:
                        hint = f"The teacher knows: {', '.join(labels)}; train one with the new label first"
                    raise SchemaError(
                        f"unknown label {entity.label!r}: {entity.text!r}"
                        + ("" if document.id is None else f" in document {document.id}"),
                        where=where,
                        hint=hint,
                    )

    def labels(self, schema: Schema) -> tuple[str, ...]:
        """The labels in the order of the model's outputs."""
        return schema[ENTITIES].names if self._taught is None else self._taught.info.heads[0].labels

    @property
    def _taught(self) -> Bundle | None:
        """A model that knows the labels already."""
        return self.model or (self.teachers[0] if self.teachers else None)

    def teacher(self, labels: Sequence[str], reads: SegmenterRecord | None) -> Teacher | None:
        """The model to distill from, or the teachers, loaded; None for a base encoder alone.

        Args:
            labels: From :meth:`labels`.
            reads: From :meth:`segmenter`.

        Raises:
            BundleError: If its weights cannot be loaded.
            TrainingError: If no layer of it can be left out.
            UsageError: If it has not so many layers.
            MissingExtraError: If the segmenter of a teacher is missing.
        """
        from viner.training.ensemble import Ensemble, Member
        from viner.training.larger import LargerModel

        if self.model is not None:
            return LargerModel(self.model, self.layers)
        members = []
        for model in self.teachers:
            # A model that reads segments has teachers that read the same ones.
            segmenter = model.info.segmenter if reads is None else None
            if segmenter is not None:
                segmenter.open()  # what is missing is not found out after an hour of adaptation
            members.append(Member(model, partial(in_segments, segmenter=segmenter)))
        return Ensemble(members, labels) if members else None

    def describe(self, teacher: Teacher | None, teacher_f1: float | None) -> dict[str, Any]:
        """What ``viner.json`` says under ``base``.

        Args:
            teacher: From :meth:`teacher`.
            teacher_f1: Its strict micro F1 on the dev set.
        """
        if teacher is None:
            return dict(self.origin)
        key = DISTILLED if self.model is not None else TAUGHT
        facts = teacher.facts() if self.model is not None else {}
        return {**self.origin, key: {**self.origin[key], **facts, "dev_f1": teacher_f1}}


def _finished(name: str | Path) -> Bundle:
    """A model folder with weights, by its folder, its project or its Hub id."""
    model = with_card(find_bundle(name))
    if WEIGHTS not in model.info.files:
        raise BundleError(f"its viner.json does not list {WEIGHTS}", where=model.path, hint="Copy the model folder again")
    return model


def _check_same_labels(model: Bundle, wanted: Schema, whose: str) -> None:
    """Makes sure that a model that teaches knows the labels of a schema and no others."""
    known, names = set(model.info.schema[ENTITIES].names), set(wanted[ENTITIES].names)
    if names == known:
        return
    differing = [f"it lacks {name}" for name in sorted(names - known)]
    differing += [f"{whose} lacks {name}" for name in sorted(known - names)]
    raise SchemaError(
        f"the model to learn from has other labels than {whose}: {', '.join(differing)}",
        where=model.path,
        hint="Train a model on today's schema first, then learn from that one",
    )


def _described(model: Bundle, name: str | Path, *, with_base: bool) -> dict[str, Any]:
    """The teacher by its name, its data and its weights, without where on this machine it lies."""
    is_folder = expanded(name).exists()
    known = {"name": model.path.resolve().name} if is_folder else {"name": str(name), "id": str(name).partition("@")[0]}
    return {
        **known,
        **as_teacher(model.info, known["name"], with_base=with_base),
        "sha256": model.info.files[WEIGHTS].sha256,
    }
