"""Whether a model folder's graph finds what the model itself finds, in float32 with torch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification

from _bench import data_folder, sentences
from viner.bundle import read_bundle
from viner.corpus import sentences_of
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.formats import read
from viner.measure import StagedRecognizer
from viner.metrics import EntityTally
from viner.runtime import Engine, Recognizer
from viner.samples import SPLITS, corpus


class TorchEngine(Engine):
    """The model as transformers loads it, in float32."""

    budget = 1024

    def __init__(self, folder: Path) -> None:
        super().__init__(threads=1)  # torch uses all cores by itself
        self._model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()

    def _run(self, ids: Any, mask: Any, first: Any, *, alone: bool) -> Any:
        with torch.inference_mode():
            logits = self._model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
        return logits.numpy().reshape(-1, logits.shape[-1])[first]


def exact_recognizer(folder: Path) -> StagedRecognizer:
    """viner's words, pieces, windows and decoding around torch in float32, and nothing of viner's engine."""
    info = read_bundle(folder).info
    encoder = PieceEncoder.from_folder(folder, views=info.views, max_pieces=info.windows.pieces)
    return StagedRecognizer(info, encoder, TorchEngine(folder))


@dataclass
class Agreement:
    """How far two recognizers agree.

    Args:
        sentences: How many were recognized.
        exact: How many entities one finds.
        found: How many the other.
        same: How many are equal in start, end and label.
        f1_lost: F1 of the first minus F1 of the second, where there is gold to compare with.
    """

    sentences: int
    exact: int
    found: int
    same: int
    f1_lost: float | None = None

    @property
    def share(self) -> float | None:
        """The share of the entities that are the same; None where neither finds any."""
        most = max(self.exact, self.found)
        return self.same / most if most else None


@dataclass(frozen=True)
class Texts:
    """A set to compare on.

    Args:
        name: For people.
        documents: Its documents.
        scored: How many of them, from the first on, are a test set with gold annotations.
    """

    name: str
    documents: list[Document]
    scored: int = 0


def compare(exact: StagedRecognizer, recognizer: Recognizer, texts: Texts) -> Agreement:
    """Recognizes a set with both, with the words that it has; F1 where its gold has no other labels than the model."""
    asked = [Document(item.text, words=item.words) for item in texts.documents]
    answers = [[_spans(item) for item in answered] for answered in (exact(asked).documents, recognizer.stream(asked))]
    result = Agreement(
        sum(len(sentences_of(document)) for document in texts.documents),
        *(sum(map(len, side)) for side in answers),
        same=sum(len(one & other) for one, other in zip(*answers, strict=True)),
    )
    gold = [_spans(document) for document in texts.documents[: texts.scored]]
    labels = {label for spans in gold for _, _, label in spans}
    if labels and labels <= set(recognizer.labels):
        one, other = (_f1(gold, side[: texts.scored]) for side in answers)
        result.f1_lost = one - other
    return result


def sets(count: int, test: int) -> Iterator[Texts]:
    """The sets at hand.

    Args:
        count: Sentences of each.
        test: Sentences of PhoNER's test set, which has 3,000.
    """
    phoner, data = os.environ.get("VINER_PHONER"), data_folder()
    if phoner:
        documents = _take(read(Path(phoner) / "test.conll"), test)
        yield Texts("PhoNER_COVID19 test", documents, len(documents))
    if data:
        english = data / "ner_en"
        yield Texts("WNUT-17", _take(read(english / "wnut17" / "train.conll"), count))
        yield Texts("UNER EWT", _take(read(english / "uner_en_ewt" / "train.prerelease.iob2", "conll"), count))
        yield Texts("NCBI-disease", _take(read(english / "ncbi_disease" / "train.tsv", "conll"), count))
        yield Texts("XQuAD and statutes", [Document(text) for text in sentences(count)])
    tested = list(corpus().documents("test"))
    others = (document for split in SPLITS if split != "test" for document in corpus().documents(split))
    documents = _take(chain(tested, others), count)
    yield Texts("bundled corpus", documents, min(len(tested), len(documents)))


def _take(documents: Iterable[Document], count: int) -> list[Document]:
    taken, held = [], 0
    for document in documents:
        taken.append(document)
        held += len(sentences_of(document))
        if held >= count:
            break
    return taken


def _spans(document: Document) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.label) for entity in document.entities or ()}


def _f1(gold: list[set[tuple[int, int, str]]], answers: list[set[tuple[int, int, str]]]) -> float:
    tally = EntityTally()
    for right, spans in zip(gold, answers, strict=True):
        tally.add(sorted(right), sorted(spans))
    return tally.scores().micro.f1
