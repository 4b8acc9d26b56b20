"""What trainings start from, learn from and are scored on: found, read and checked, once for all that share it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.bundle import SegmenterRecord
from viner.corpus import REVIEWED, is_partial, refuse_partial, split_documents
from viner.document import Document
from viner.errors import InputError, MissingExtraError
from viner.formats import read
from viner.schema import Schema
from viner.workflow.fingerprint import WHOLE, fingerprint
from viner.workflow.segments import in_segments
from viner.workflow.start import Start
from viner.workflow.texts import PlainTexts, Reading

if TYPE_CHECKING:
    from viner.training.config import TrainingConfig
    from viner.training.distributed import Processes
    from viner.training.selection import Plan
    from viner.training.teacher import Teacher
    from viner.training.trainer import Trainer

DEV_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Material:
    """What a training starts from, learns from and is scored on.

    Args:
        start: The base, or the model to distill from, with what teaches.
        reads: What groups words into the segments that the model reads; None where it reads words.
        train: Annotated documents to learn from.
        dev: Annotated documents to choose the best epoch on, none of them partial.
        schema: The types.
        labels: Their names in the order of the model's outputs.
        unlabeled: Documents in which nobody but a teacher says anything.
        whole: Fingerprint of the documents that ``train`` and ``dev`` are parts of; None where each was given.
        learns_dev: Whether dev is learned as well.
    """

    start: Start
    reads: SegmenterRecord | None
    train: Sequence[Document]
    dev: Sequence[Document]
    schema: Schema
    labels: tuple[str, ...]
    unlabeled: Sequence[Document] = ()
    whole: Mapping[str, Any] | None = None
    learns_dev: bool = False

    @classmethod
    def read(
        cls,
        start: Start,
        reads: SegmenterRecord | None,
        train: str | Path,
        dev: str | Path | None,
        *,
        seed: int,
        schema: Schema | None = None,
        format: str | None = None,
        read_options: Mapping[str, Any] | None = None,
    ) -> Material:
        """Reads and checks the files of a training.

        Args:
            start: What it starts from.
            reads: From :meth:`Start.segmenter`.
            train: Annotated file to learn from.
            dev: Annotated file to choose the best epoch on; None sets a seeded tenth of ``train`` aside, by document, of those
                that are fully annotated.
            seed: Of what is set aside.
            schema: The types; None infers them, or takes those of what teaches.
            format: Format of the files; None finds it out for each.
            read_options: Options of that format.

        Raises:
            InputError: If a file cannot be read or holds nothing to learn from.
            SchemaError: If a file holds a label that the schema, or what teaches, lacks.
        """
        learned: Sequence[Document] = annotated(train, format, read_options)
        whole = None
        if dev is None:
            whole = fingerprint(learned)
            learned, tuned = set_aside(learned, seed, where=train)
        else:
            tuned = annotated(dev, format, read_options)
            refuse_partial(tuned, "choose the best epoch on", where=dev)
        schema = start.schema(schema, [*learned, *tuned])
        labels = start.labels(schema)
        start.check_labels(labels, learned, where=train)
        start.check_labels(labels, tuned, where=dev or train)
        return cls(start, reads, learned, tuned, schema, labels, whole=whole)

    def with_dev(self) -> Material:
        """The same, dev to be learned as well, which then tells nothing of how good a model is."""
        return replace(self, learns_dev=True, whole=self.whole or fingerprint([*self.train, *self.dev]))

    def learning_from(self, documents: Sequence[Document]) -> Material:
        """The same with other documents to learn from."""
        return replace(self, train=documents)

    def with_unlabeled(self, texts: PlainTexts, reading: Reading, test: Iterable[Document]) -> Material:
        """The same with texts in which a teacher alone says what there is.

        Args:
            texts: The texts. Those of annotated documents, and those that are there twice, are left out.
            reading: How the annotated files are read.
            test: Documents of the test set, which must not be learned from.

        Raises:
            InputError: If a file cannot be read, or holds no other text.
        """
        known = (document.text for document in (*self.train, *self.dev, *test))
        plain = texts.read(reading, known, distinct=True)
        found = [document.with_(entities=(), meta={REVIEWED: []}) for document in plain]
        if not found:
            left = f" but the {texts.counts['left_out']:,} that are annotated" if texts.counts["left_out"] else ""
            raise InputError(
                f"there is no text to learn from{left}", where=texts.where, hint=f"Give {texts.option} a file with texts"
            )
        return replace(self, unlabeled=found)

    def starting_from(self, folder: Path) -> Material:
        """The same with a base of the same form from another folder."""
        return replace(self, start=replace(self.start, folder=folder))

    def describe(self) -> dict[str, Any]:
        """What a model folder says of its documents: number, entities and a hash for each part."""
        return {
            "train": fingerprint(self.train),
            "dev": fingerprint(self.dev),
            **({} if self.whole is None else {WHOLE: self.whole}),
        }

    def describe_unlabeled(self) -> dict[str, str]:
        """The hash of the texts in which a teacher alone says what there is."""
        return {"sha256": fingerprint(self.unlabeled)["sha256"]}

    def fingerprint(self) -> str:
        """SHA-256 of labels and documents: equal where the same is learned and scored."""
        told = [self.labels, *(fingerprint(documents)["sha256"] for documents in (self.train, self.dev))]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def trainer(
        self,
        config: TrainingConfig,
        observe: Callable[[dict[str, Any]], None],
        *,
        teacher: Teacher | None = None,
        processes: Processes | None = None,
        refit: Plan | None = None,
    ) -> Trainer:
        """What trains on it.

        Args:
            config: All choices, from :meth:`viner.workflow.start.Start.config`.
            observe: Called with each event.
            teacher: What teaches, from :meth:`viner.workflow.start.Start.teacher`.
            processes: This process and those that train with it; None for this one alone.
            refit: That of the training that chose, where dev is learned as well; None where dev chooses.

        Raises:
            InputError: If there is nothing to learn from.
            BundleError: If the base cannot be loaded.
        """
        from viner.training.trainer import Trainer

        learned = [*self.train, *(self.dev if self.learns_dev else ()), *self.unlabeled]
        documents = in_segments(learned, self.reads, keep=True), in_segments(self.dev, self.reads)
        return Trainer(
            self.start.folder,
            self.labels,
            *documents,
            config,
            teacher=teacher,
            observe=observe,
            processes=processes,
            refit=refit,
        )


def require_training() -> None:
    """Says which extra to install when the training libraries are missing.

    Raises:
        MissingExtraError: If one is missing.
    """
    try:
        import viner.training.trainer  # noqa: F401
    except ImportError as error:
        if error.name and error.name.startswith("viner"):
            raise
        raise MissingExtraError("training a model", "train") from error


def annotated(path: str | Path, format: str | None = None, options: Mapping[str, Any] | None = None) -> list[Document]:
    """The annotated documents of a file.

    Raises:
        InputError: If it cannot be read or holds no entity.
    """
    documents = [document for document in read(path, format, **(options or {})) if document.entities is not None]
    if not any(document.entities for document in documents):
        raise InputError(
            "no annotated entity in this file",
            where=path,
            hint="Training needs CoNLL, JSONL with 'entities', or inline markup; see: viner stats FILE",
        )
    return documents


def set_aside(
    documents: Sequence[Document], seed: int, *, where: str | Path | None
) -> tuple[Sequence[Document], Sequence[Document]]:
    """Documents to learn from, and a seeded tenth to choose the best epoch on, of those that are fully annotated.

    Both have entities: where these are so rare that chance gives one side none, the documents with entities and those without
    are split apart.

    Args:
        documents: Annotated documents.
        seed: Of what is set aside.
        where: Where they come from, for messages.

    Raises:
        InputError: If that cannot be done.
    """
    whole = [document for document in documents if not is_partial(document)]
    _, aside = split_documents(whole, DEV_SHARE, seed)
    if not aside and len(whole) == len(documents):
        raise InputError("one document cannot be split into train and dev", where=where, hint="Give a --dev file")
    if not aside:
        raise InputError(
            f"too few of the {len(documents)} documents are fully annotated ({len(whole)}) to set some aside for choosing the"
            " best epoch",
            where=where,
            hint="Finish two documents of different texts, or give a --dev file",
        )
    found = _apart(documents, aside)
    if all(_has_entities(part) for part in found):
        return found
    marked = {document.text for document in whole if document.entities}
    parts = [[document for document in whole if (document.text in marked) == wanted] for wanted in (True, False)]
    found = _apart(documents, [document for part in parts for document in split_documents(part, DEV_SHARE, seed)[1]])
    if all(_has_entities(part) for part in found):
        return found
    raise InputError(
        "too few of the documents have entities to set some aside for choosing the best epoch",
        where=where,
        hint="Annotate some in more documents, or give a --dev file",
    )


def _apart(documents: Sequence[Document], aside: Sequence[Document]) -> tuple[Sequence[Document], Sequence[Document]]:
    texts = {document.text for document in aside}
    return [document for document in documents if document.text not in texts], [
        document for document in documents if document.text in texts and not is_partial(document)
    ]


def _has_entities(documents: Sequence[Document]) -> bool:
    return any(document.entities for document in documents)
