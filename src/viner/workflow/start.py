"""What a training starts from: a base encoder, or a finished model that a smaller one is distilled from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.base import origin, resolve
from viner.bundle import Bundle, SegmenterRecord, find_bundle
from viner.document import Document
from viner.encoding import SEGMENTS, learned_segments
from viner.encoding.tokenizer import load_tokenizer
from viner.errors import BundleError, MissingExtraError, SchemaError, UsageError
from viner.schema import ENTITIES, Schema
from viner.text import DEFAULT_SEGMENTER

if TYPE_CHECKING:
    from viner.training.config import TrainingConfig
    from viner.training.teacher import Teacher

DISTILLED = "distilled_from"
"""Key in a model's ``base``: its teacher's ``{"name", "id"?, "data"?, "sha256", "layers", "kept", "dev_f1"}``."""

ADAPTED = "adapted"
"""Key in a model's ``base``: what that read before the task, ``{"documents", "left_out", "passages", "words", "pieces",
"held_out", "sha256", "epochs", "seconds", "rate", "before", "after", "kept"}``; before and after have loss and accuracy."""

WORDS = "none"
"""In the place of a segmenter's name: the model reads words as they are."""

_WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Start:
    """A base encoder or a model to distill from, found and checked.

    Args:
        folder: Where its weights and its tokenizer are.
        origin: What ``viner.json`` says of it.
        model: The model to distill from; None for a base encoder.
        layers: Layers of the smaller model; None halves them.
    """

    folder: Path
    origin: Mapping[str, Any]
    model: Bundle | None = None
    layers: int | None = None

    @classmethod
    def find(
        cls, base: str | Path | None, distill_from: str | Path | None, layers: int | None = None, *, allow_bin: bool = False
    ) -> Start:
        """Finds what a training was told to start from.

        Args:
            base: A folder or Hub id; None takes the bundled encoder.
            distill_from: A model folder with weights, a project or a Hub id; None trains from the base.
            layers: Layers of the smaller model.
            allow_bin: Accept a base whose weights are in PyTorch's ``.bin`` format.

        Raises:
            UsageError: If the options exclude each other.
            BundleError: If there is none of that name, or it cannot be used.
            InputError: If a project has no model yet.
        """
        if distill_from is None:
            if layers is not None:
                raise UsageError(
                    "--layers goes with --distill-from only", hint="A model that is trained from a base has all of its layers"
                )
            folder = resolve(base, allow_bin=allow_bin)
            return cls(folder, origin(base, folder).to_dict())
        if base is not None:
            raise UsageError(
                "--base and --distill-from exclude each other: a distilled model starts from the layers of the larger one",
                hint="Leave one of them away",
            )
        model = find_bundle(distill_from)
        if _WEIGHTS not in model.info.files:
            raise BundleError(f"its viner.json does not list {_WEIGHTS}", where=model.path, hint="Copy the model folder again")
        folder = resolve(model.path)
        known = {key: value for key, value in model.info.base.items() if key != DISTILLED}
        return cls(folder, {**known, DISTILLED: _described(model, distill_from)}, model, layers)

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
            return SegmenterRecord.named(name or DEFAULT_SEGMENTER)
        except MissingExtraError as error:
            if name is None:
                error.hint = f"The base learned from segments. {error.hint}; or let it read syllables: --segmenter {WORDS}"
            raise

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
        if choices.get("r_drop"):
            raise UsageError(
                "--r-drop and --distill-from exclude each other: what a student answers is drawn to its teacher's answer",
                hint="Leave one of them away; the teacher may well have been trained with --r-drop",
            )
        if choices.get("adversarial"):
            raise UsageError(
                "--adversarial and --distill-from exclude each other: what the teacher would say of moved vectors is not known",
                hint="Leave one of them away; the teacher may well have been trained with --adversarial",
            )
        # A student begins with what its teacher knows of the task, and all of its layers have to close up.
        return TrainingConfig(**{"layer_decay": 1.0, **choices, **reading})

    def schema(self, given: Schema | None, documents: Iterable[Document]) -> Schema:
        """The schema of the new model.

        Args:
            given: The one that was asked for, if any.
            documents: Where labels come from if nobody says.

        Raises:
            SchemaError: If the model to distill from has other labels.
        """
        if self.model is None:
            return given or Schema.infer(documents)
        if given is None:
            return self.model.info.schema
        wanted, known = set(given[ENTITIES].names), set(self.model.info.schema[ENTITIES].names)
        if wanted != known:
            differing = [f"it lacks {name}" for name in sorted(wanted - known)]
            differing += [f"the schema lacks {name}" for name in sorted(known - wanted)]
            raise SchemaError(
                f"the model to distill from has other labels than the schema: {', '.join(differing)}",
                where=self.model.path,
                hint="Train a model on today's schema first, then distill from that one",
            )
        return given

    def check_labels(self, labels: Sequence[str], files: Mapping[str | Path, Sequence[Document]]) -> None:
        """Makes sure that documents hold no other labels.

        Args:
            labels: From :meth:`labels`.
            files: The documents by the file that they come from.

        Raises:
            SchemaError: If one does; ``where`` is the file.
        """
        known = set(labels)
        for path, documents in files.items():
            for document in documents:
                for entity in document.entities or ():
                    if entity.label not in known:
                        hint = f"Known: {', '.join(labels)}"
                        if self.model is not None:
                            hint = f"The model to distill from knows: {', '.join(labels)}; train one with the new label first"
                        raise SchemaError(
                            f"unknown label {entity.label!r}: {entity.text!r}"
                            + ("" if document.id is None else f" in document {document.id}"),
                            where=path,
                            hint=hint,
                        )

    def labels(self, schema: Schema) -> tuple[str, ...]:
        """The labels in the order of the model's outputs."""
        return schema[ENTITIES].names if self.model is None else self.model.info.heads[0].labels

    def teacher(self) -> Teacher | None:
        """The model to distill from, loaded; None for a base encoder.

        Raises:
            BundleError: If its weights cannot be loaded.
            TrainingError: If no layer of it can be left out.
            UsageError: If it has not so many layers.
        """
        from viner.training.teacher import Teacher

        return None if self.model is None else Teacher(self.model, self.layers)

    def describe(self, teacher: Teacher | None, teacher_f1: float | None) -> dict[str, Any]:
        """What ``viner.json`` says under ``base``.

        Args:
            teacher: From :meth:`teacher`.
            teacher_f1: Its strict micro F1 on the dev set.
        """
        if teacher is None:
            return dict(self.origin)
        lesson = {"layers": teacher.layers, "kept": [index + 1 for index in teacher.kept], "dev_f1": teacher_f1}
        return {**self.origin, DISTILLED: {**self.origin[DISTILLED], **lesson}}


def _described(model: Bundle, name: str | Path) -> dict[str, Any]:
    """The teacher by its name, its data and its weights, without where on this machine it lies."""
    data = model.info.data.get("source")
    is_folder = Path(name).expanduser().exists()
    return {
        **({"name": model.path.resolve().name} if is_folder else {"name": str(name), "id": str(name).partition("@")[0]}),
        **({"data": data} if data else {}),
        "sha256": model.info.files[_WEIGHTS].sha256,
    }
