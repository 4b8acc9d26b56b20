"""Models whose mean answer another one learns: what they say of words, whatever tokenizer they have, and what that teaches."""

import io
import shutil
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from support.bases import LABELS, tiny_base, toy_documents
from training.conftest import DEEP, RECIPE
from viner.bundle import read_bundle
from viner.corpus import REVIEWED
from viner.document import Document
from viner.encoding import PieceEncoder, bio_tags
from viner.errors import BundleError
from viner.formats import write
from viner.schema import Schema
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.ensemble import Ensemble, Member, carried_over
from viner.training.heads import IGNORED, EntityHead
from viner.training.objective import beside
from viner.training.reading import DocumentReader
from viner.training.teacher import imitation_loss, prior_divergence
from viner.training.trainer import Trainer
from viner.workflow import Report, choose, train_model

pytestmark = pytest.mark.xdist_group("ensemble")  # one process makes what the tests share


@pytest.fixture(scope="module")
def other(tmp_path_factory, toys):
    """A model of another architecture, tokenizer and order of labels than `large`, which has learned the same task."""
    folder = tmp_path_factory.mktemp("other")
    for name, documents in zip(("train", "dev"), toys, strict=True):
        write(documents, folder / f"{name}.jsonl")
    base = tiny_base(folder / "base", "roberta", layers=1, tokenizer="BPE")
    files = {"train": folder / "train.jsonl", "dev": folder / "dev.jsonl", "base": base}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "SENTENCES", 60)
        schema = Schema.of_entities(["LOCATION", "PERSON"])
        train_model(**files, out=folder / "model", schema=schema, report=Report(io.StringIO()), **RECIPE)
    return read_bundle(folder / "model")


def read(ensemble, documents, encoder):
    reader = DocumentReader(documents, encoder, overlap=8)
    ((*said,),) = ensemble.read([reader], torch.device("cpu"), nullcontext)
    return [ensemble.emissions(torch.from_numpy(part)).exp().numpy() for part in said], reader.words


def truth(documents, words):
    """The tags that a model which makes no mistake would give, one array a document."""
    tags = bio_tags(LABELS)
    found = []
    for document, spans in zip(documents, words, strict=True):
        said = np.zeros(len(spans), dtype=np.int64)
        for entity in document.entities:
            inside = [place for place, (start, end) in enumerate(spans) if entity.start <= start and end <= entity.end]
            said[inside] = tags.index(f"I-{entity.label}")
            said[inside[0]] = tags.index(f"B-{entity.label}")
        found.append(said)
    return found


def test_it_answers_for_each_word_whatever_tokenizer_and_order_of_labels_a_model_has(large, other, base):
    documents = toy_documents(30, 9)
    encoder = PieceEncoder.from_folder(base)
    assert large.info.heads[0].labels != other.info.heads[0].labels
    answers = {}
    for name, models in {"large": [large], "other": [other], "both": [large, other]}.items():
        answers[name], words = read(Ensemble([Member(model) for model in models], LABELS), documents, encoder)
        for probabilities, right in zip(answers[name], truth(documents, words), strict=True):
            assert probabilities.sum(axis=1) == pytest.approx(1, abs=0.01)
            assert (probabilities.argmax(axis=1) == right).mean() > 0.8
    for one, two, both in zip(*answers.values(), strict=True):
        assert both == pytest.approx((one + two) / 2, abs=0.01)


def test_a_model_reads_the_words_that_it_has_learned_to_read(large, base):
    """It may read two words as one; what it says of that, it says of both."""
    documents = [Document("Lan ở Hà Nội"), Document("")]

    def pairs(documents):
        return [document.with_(words=[(0, 3), (4, 5), (6, 12)] if document.text else []) for document in documents]

    (said, empty), (words, _) = read(Ensemble([Member(large, pairs)], LABELS), documents, PieceEncoder.from_folder(base))
    assert len(words) == 4
    assert empty.shape == (0, 5)
    tags = bio_tags(LABELS)
    assert [tags[tag] for tag in said.argmax(axis=1)] == ["B-PERSON", "O", "B-LOCATION", "I-LOCATION"]
    assert said[3, tags.index("B-LOCATION")] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("theirs", "mine", "wanted"),
    [
        ([(0, 3)], [(0, 3)], [(0.2, 0.5, 0.3)]),
        # The second half of their word goes on with what it begins.
        ([(0, 7)], [(0, 3), (4, 7)], [(0.2, 0.5, 0.3), (0.2, 0.0, 0.8)]),
        # Of a word that holds two of theirs, the first one speaks.
        ([(0, 3), (4, 7)], [(0, 7)], [(0.2, 0.5, 0.3)]),
        # They have no word where this one begins.
        ([(2, 5)], [(0, 1), (2, 5), (6, 7)], [None, (0.2, 0.5, 0.3), None]),
        ([], [(0, 1)], [None]),
        ([(0, 1)], [], []),
    ],
)
def test_what_is_said_of_words_is_carried_over_to_others(theirs, mine, wanted):
    said = np.array([(0.2, 0.5, 0.3), (0.6, 0.3, 0.1)][: len(theirs)], dtype=np.float32).reshape(-1, 3)
    found = carried_over(said, theirs, mine)
    assert found.shape == (len(mine), 3)
    for row, expected in zip(found, wanted, strict=True):
        assert row == pytest.approx(expected) if expected else np.isnan(row).all()


def test_a_base_becomes_what_its_teachers_are_from_texts_that_nobody_annotated(large, other, base, toys, tmp_path):
    events = []
    texts = [toys[0][0], *(document.with_(entities=(), meta={REVIEWED: []}) for document in toy_documents(150, 78))]
    config = TrainingConfig(**{**RECIPE, "imitation": 1.0, "replace_mentions": 0.5, "epochs": 12})
    teacher = Ensemble([Member(large), Member(other)], LABELS)
    trainer = Trainer(base, LABELS, texts, toys[1], config, teacher=teacher, observe=lambda event: events.append(dict(event)))
    with TrainingFolder(tmp_path / "t") as folder:
        result = trainer.run(folder)
    (said,) = [event for event in events if event["event"] == "teacher"]
    assert said["models"] == 2
    assert said["dev_f1"] == result.teacher_f1 > 0.9
    assert result.scores.micro.f1 > 0.9 * result.teacher_f1
    assert len(result.model.encoder.encoder.layer) == 2  # as its base has, and not as they have


def test_the_annotation_counts_whole_where_no_teacher_speaks():
    head = EntityHead("entities", LABELS, 8, 0.0)
    targets = torch.tensor([1, 0, IGNORED, 3, 0])
    emissions = torch.randn(5, 5, generator=torch.Generator().manual_seed(1))
    each = torch.nn.functional.cross_entropy(emissions, targets, ignore_index=IGNORED, reduction="none")
    nobody, everybody = torch.zeros(5, dtype=torch.bool), torch.ones(5, dtype=torch.bool)
    some = torch.tensor([True, False, True, False, True])
    for heard, weights in ((nobody, [1, 1, 0, 1, 1]), (everybody, [0.25] * 5), (some, [0.25, 1, 0, 1, 0.25])):
        wanted = (each * torch.tensor(weights)).sum() / 4
        assert float(beside(head, emissions, targets, heard, 0.25)) == pytest.approx(float(wanted))


def test_a_training_is_another_one_with_other_teachers_or_another_base(large, other, base, toys, tmp_path):
    def trainer(*models, base=base):
        teacher = Ensemble([Member(model) for model in models], LABELS)
        return Trainer(base, LABELS, *toys, TrainingConfig(**DEEP), teacher=teacher, observe=lambda event: None)

    both, alone = trainer(large, other), trainer(large)
    assert both._fingerprint == trainer(other, large)._fingerprint != alone._fingerprint
    elsewhere = tiny_base(tmp_path / "elsewhere" / base.name, layers=3)
    assert trainer(large, base=elsewhere)._fingerprint != alone._fingerprint
    assert both._epochs() == alone._epochs() == TrainingConfig(**DEEP).epochs
    config = TrainingConfig(**{**DEEP, "epochs": None, "batch_pieces": 4})
    made = Trainer(base, LABELS, *toys, config, teacher=Ensemble([Member(large)], LABELS), observe=lambda event: None)
    assert made._epochs() == 8


def test_a_base_that_answers_nothing_beside_a_teacher_has_collapsed(large, base, toys, tmp_path):
    """Neither the few known words nor the many that the teacher alone knows may hide it, or pretend it."""
    first = toys[0][0]
    known = [(first.entities[0].start, first.entities[0].end)]
    texts = [document.with_(entities=(), meta={REVIEWED: []}) for document in toys[0][1:]]
    texts.append(first.with_(entities=first.entities[:1], meta={REVIEWED: known}))  # no word is known to be outside
    events = []
    config = TrainingConfig(**{**RECIPE, "epochs": 12})
    teacher = Ensemble([Member(large)], LABELS)
    made = Trainer(base, LABELS, texts, toys[1], config, teacher=teacher, observe=lambda event: events.append(dict(event)))
    with TrainingFolder(tmp_path / "t") as folder:
        result = made.run(folder)
    assert result.scores.micro.f1 > 0.8
    assert [event for event in events if event["event"] == "collapse"] == []
    said = made._train.epoch(np.random.default_rng(0))
    logits = [teacher.emissions(batch.teacher) for batch in said]
    everywhere = torch.cat(logits).softmax(-1).mean(0).log()
    worst = torch.cat([imitation_loss(everywhere.expand(len(part), -1), part, 1.0)[None] for part in logits]).mean()
    assert prior_divergence(logits, 1.0) == pytest.approx(float(worst), rel=0.2)
    learned = config.imitation * prior_divergence(logits, config.temperature)
    assert made._prior == pytest.approx(learned, rel=0.2)
    assert result.history[-1]["loss"] < 0.5 * made._prior
    assert prior_divergence([torch.full((2, 5), torch.nan)], 2.0) == 0


def test_weights_that_cannot_be_read_are_told_before_anything_else(large, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(large.path, folder)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(BundleError, match="its head cannot be loaded") as caught:
        Ensemble([Member(large), Member(type(large)(folder, large.info))], LABELS)
    assert caught.value.where == str(folder / "model.safetensors")
