"""Texts without annotations that the base encoder learns from before it is trained for the task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.bundle import SegmenterRecord
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.errors import InputError, UsageError
from viner.text import words_of
from viner.workflow.segments import in_segments
from viner.workflow.start import Start
from viner.workflow.texts import Paths, PlainTexts, Reading

if TYPE_CHECKING:
    from viner.training.adapt import AdaptedBase
    from viner.training.adapt_config import AdaptConfig
    from viner.training.checkpoint import TrainingFolder
    from viner.training.config import TrainingConfig
    from viner.training.masking import Passages

LEAST_WORDS, LEAST_PASSAGES = 1000, 20
"""With fewer, held-out passages say nothing, and there is nothing to learn that the annotated documents do not teach."""

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What is to be learned before the task, found and checked.

    Args:
        texts: The files of the texts.
        config: How they are learned from.
    """

    texts: PlainTexts
    config: AdaptConfig

    @classmethod
    def find(
        cls,
        adapt: Paths | None,
        choices: dict[str, Any],
        distill_from: str | Path | None,
    ) -> Adaptation | None:
        """Finds the texts, and takes the choices that begin with ``adapt_`` out of ``choices``; None where nobody asked for it.

        Args:
            adapt: Files, folders and patterns.
            choices: Of the training. Seed and precision count for the adaptation as well.
            distill_from: The model that is distilled, if any.

        Raises:
            UsageError: If options exclude each other, or a choice cannot be.
            InputError: If there are no such files.
        """
        from viner.training.adapt_config import PREFIX, AdaptConfig

        own = {name.removeprefix(PREFIX): choices.pop(name) for name in [*choices] if name.startswith(PREFIX)}
        texts = PlainTexts.find(adapt, "--adapt")
        if texts is None:
            if own:
                option = f"--{PREFIX}{next(iter(own))}".replace("_", "-").removesuffix("-minutes")
                raise UsageError(f"{option} goes with --adapt only", hint="Name the texts with --adapt FILE")
            return None
        if distill_from is not None:
            raise UsageError(
                "--adapt and --distill-from exclude each other: a student learns what its teacher answers, from the teacher's"
                " own layers",
                hint="Train the larger model with --adapt, then distill from it",
            )
        shared = {name: choices[name] for name in ("seed", "precision", "window_pieces") if choices.get(name) is not None}
        try:
            config = AdaptConfig(**{**shared, **own})
        except TypeError as error:
            raise UsageError(f"there is no such choice of an adaptation ({error})") from None
        return cls(texts, config)

    def prepare(
        self,
        start: Start,
        training: TrainingConfig,
        segmenter: SegmenterRecord | None,
        measured: Iterable[Document],
        reading: Reading,
    ) -> Texts:
        """Reads the texts and cuts them into pieces.

        Args:
            start: The base.
            training: How the task's documents are read, so that the texts are read alike.
            segmenter: What groups words into the segments that the base reads.
            measured: Documents of dev and test. A text that is one of them is left out, else their figures would be too good.
            reading: How the annotated files are read, for those of them that are texts to learn from as well.

        Raises:
            InputError: If a file cannot be read, or there is too little text.
        """
        from viner.training.masking import Passages, mask_piece

        encoder = PieceEncoder.from_folder(start.folder, views=training.views, max_pieces=self.config.window_pieces)
        mask_piece(start.folder, encoder.rules().vocabulary)  # what cannot be is not found out after an hour of reading
        passages = Passages(encoder.capacity)
        documents = self.texts.read(reading, (document.text for document in measured))
        while part := [*islice(documents, _CHUNK)]:
            for document in in_segments(part, segmenter):
                passages.add(encoder.encode(document.text, words_of(document)))
        counts = dict(self.texts.counts)
        self._check(passages, counts)
        return Texts(start.folder, passages, encoder, self.config, counts)

    def _check(self, passages: Passages, counts: Mapping[str, int]) -> None:
        where = self.texts.where
        left = f" besides {counts['left_out']:,} of the dev and test documents" if counts["left_out"] else ""
        if not passages.words:
            raise InputError(f"there is no text to adapt to{left}", where=where, hint="Give --adapt a file with texts")
        if passages.words < LEAST_WORDS or len(passages) < LEAST_PASSAGES:
            raise InputError(
                f"too little text to adapt to{left}: {passages.words:,} words in {len(passages):,} different passages, and at"
                f" least {LEAST_WORDS:,} in {LEAST_PASSAGES} are needed",
                where=where,
                hint="Give --adapt more texts, or train without it",
            )


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts in pieces, ready to be learned from.

    Args:
        base: Folder of the base.
        passages: The texts.
        encoder: What cut them.
        config: How they are learned from.
        counts: Documents that were taken, and those that were left out since they are measured on.
    """

    base: Path
    passages: Passages
    encoder: PieceEncoder
    config: AdaptConfig
    counts: Mapping[str, int]

    def adapt(self, folder: TrainingFolder, observe: Callable[[dict[str, Any]], None]) -> AdaptedBase:
        """Adapts the base, or finds that it was in this folder.

        Args:
            folder: The training's working folder, entered.
            observe: Called with each event.

        Raises:
            BundleError: If the base cannot be loaded, or its tokenizer has no mask piece.
            TrainingError: If it cannot be adapted, or the adapted weights cannot be written.
        """
        from viner.training.adapt import Adapter

        return Adapter(self.base, self.passages, self.encoder, self.config, observe=observe).run(folder)

    def describe(self, adapted: AdaptedBase) -> dict[str, Any]:
        """What ``viner.json`` says of it."""
        return {**self.counts, **adapted.record}
