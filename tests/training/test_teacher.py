"""A smaller model that learns from a larger one: how it begins, what it imitates, and how it goes on after a kill."""

import math
import shutil
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from support.bases import LABELS, toy_documents
from training.conftest import DEEP
from viner.bundle import read_bundle
from viner.corpus import REVIEWED
from viner.encoding import PieceEncoder
from viner.errors import BundleError, UsageError
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.data import TrainingSet
from viner.training.larger import LargerModel
from viner.training.layers import layers_of
from viner.training.reading import DocumentReader
from viner.training.teacher import distance, imitation_loss
from viner.training.trainer import Trainer


@pytest.fixture
def student(large, toys):
    """Makes trainers of students; the second return value collects the events."""

    def make(layers=None, *, train=None, observe=None, **choices):
        events = []

        def both(event):
            events.append(dict(event))
            if observe is not None:
                observe(event)

        config = TrainingConfig(**{**DEEP, "window_pieces": large.info.windows.pieces, **choices})
        files = (toys[0] if train is None else train, toys[1])
        teacher = LargerModel(large, layers)
        return Trainer(large.path, large.info.heads[0].labels, *files, config, teacher=teacher, observe=both), events

    return make


def run(trainer, folder):
    with TrainingFolder(folder) as entered:
        return trainer.run(entered)


def same_weights(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def undecided(document):
    """The document as one that nobody has looked at."""
    return document.with_(entities=(), meta={REVIEWED: []})


def test_a_student_begins_as_its_teacher_without_the_other_layers(large):
    teacher = LargerModel(large)
    assert (teacher.layers, teacher.kept) == (4, (1, 3))
    model, head = teacher.student(0.1)
    weights = load_file(large.path / "model.safetensors")
    assert len(layers_of(model.encoder)) == 2
    for place, index in enumerate(teacher.kept):
        prefix = f"bert.encoder.layer.{index}."
        theirs = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
        assert same_weights(layers_of(model.encoder)[place].state_dict(), theirs)
    embeddings = {name: tensor for name, tensor in weights.items() if name.startswith("bert.embeddings.")}
    assert same_weights({f"bert.embeddings.{k}": v for k, v in model.encoder.embeddings.state_dict().items()}, embeddings)
    assert torch.equal(head.linear.weight, weights["classifier.weight"])
    assert torch.equal(head.linear.bias, weights["classifier.bias"])


@pytest.mark.parametrize("layers", [0, 5])
def test_a_student_has_no_more_layers_than_its_teacher(large, layers):
    with pytest.raises(UsageError, match=f"a model of 4 layers can be distilled into 1 to 4, not {layers}"):
        LargerModel(large, layers)


def test_a_student_that_is_its_teacher_has_nothing_to_imitate(large, toys):
    teacher = LargerModel(large, 4)
    encoder = PieceEncoder.from_folder(large.path, views=large.info.views, max_pieces=large.info.windows.pieces)
    reader = DocumentReader(toys[1], encoder, overlap=8)
    (vectors,) = teacher.read([reader], torch.device("cpu"), nullcontext)
    model, head = teacher.student(0.0)
    mine = reader.answers(model, lambda words: words, 32, nullcontext())
    for ours, theirs in zip(mine, vectors, strict=True):
        wanted = torch.from_numpy(theirs).float()
        emissions = head(torch.from_numpy(ours))
        assert float(imitation_loss(emissions.detach(), teacher.emissions(wanted), 2.0)) < 1e-4
        assert float(distance(torch.from_numpy(ours), wanted)) < 1e-5
    half, half_head = LargerModel(large, 2).student(0.0)
    other = reader.answers(half, lambda words: half_head(words), len(head.tags), nullcontext())
    wanted = teacher.emissions(torch.from_numpy(np.concatenate(vectors)))
    assert float(imitation_loss(torch.from_numpy(np.concatenate(other)), wanted, 2.0)) > 1e-3


def test_the_imitation_loss_is_the_divergence_of_the_softened_answers():
    mine, theirs = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [0.0, 0.0]])
    p, q = 1 / (1 + math.exp(-2.0)), 1 / (1 + math.exp(1.0))
    expected = (p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))) * 4 / 2
    assert float(imitation_loss(mine, theirs, 2.0)) == pytest.approx(expected, rel=1e-5)
    assert float(imitation_loss(theirs, theirs, 2.0)) == 0.0


@pytest.mark.parametrize("replaced", [0.0, 0.9])
def test_each_word_of_a_batch_stands_beside_what_the_teacher_said_of_it(large, replaced):
    """Sentences are shown alone, joined, respaced and in windows; a vector goes where its word goes. Of words that took the
    place of others, nothing was said.
    """
    encoder = PieceEncoder.from_folder(large.path, views=large.info.views, max_pieces=24)
    config = TrainingConfig(batch_pieces=64, window_overlap=8, harden=0.0, replace_mentions=replaced)
    _, head = LargerModel(large).student(0.0)
    documents = [*toy_documents(20, 5), *map(undecided, toy_documents(20, 6))]
    found = TrainingSet(documents, encoder, head, config, every_word=True)
    assert found.documents == documents
    # Each word's own piece is its vector, so that a batch shows whether the two went the same way.
    said = []
    for document, words in zip(documents, DocumentReader(documents, encoder, overlap=8).words, strict=True):
        encoded = encoder.encode(document.text, words)
        said.append(encoded.pieces[encoded.offsets[:-1]].astype(np.float16)[:, None])
    found.hear(said)
    for seed in range(3):
        batches = found.epoch(np.random.default_rng(seed))
        for batch in batches:
            heard = batch.heard
            assert torch.equal(batch.teacher[heard, 0].long(), batch.input_ids.flatten()[batch.first[heard]])
            assert replaced or heard.all()
            assert (batch.targets[~heard] != 0).all()
        assert sum(len(batch.first) for batch in batches) >= sum(map(len, said)) or replaced
        assert any(not batch.heard.all() for batch in batches) == bool(replaced)
    bare = TrainingSet(documents, encoder, head, config)
    assert bare.documents == documents[:20]


def test_a_student_becomes_what_its_teacher_is_from_texts_that_nobody_annotated(student, tmp_path):
    texts = [toy_documents(1, 77)[0], *map(undecided, toy_documents(150, 78))]
    made, events = student(train=texts, imitation=1.0)
    with torch.no_grad():  # it has forgotten how to answer, and nobody but the teacher can tell
        made._head.linear.weight.zero_()
    assert made._dev.score(made._model, made._head, nullcontext()).micro.correct == 0
    result = run(made, tmp_path / "t")
    (said,) = [event for event in events if event["event"] == "teacher"]
    assert (said["layers"], said["kept"]) == (4, [2, 4])
    assert said["dev_f1"] == result.teacher_f1 > 0.9
    assert result.scores.micro.f1 > 0.9 * result.teacher_f1
    assert len(layers_of(result.model.encoder)) == 2
    (end,) = [event for event in events if event["event"] == "end"]
    assert end["teacher_f1"] == result.teacher_f1


def test_an_interrupted_student_goes_on_and_ends_in_the_same_weights(student, tmp_path):
    def interrupt(event):
        if event["event"] == "step" and event["epoch"] == 2:
            raise KeyboardInterrupt

    made, _ = student(observe=interrupt, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        run(made, tmp_path / "t")
    made, events = student(epochs=3)
    resumed = run(made, tmp_path / "t")
    assert [event["epoch"] for event in events if event["event"] == "resume"] == [1]
    assert {event["epoch"] for event in events if event["event"] == "step"} == {2, 3}
    whole = run(student(epochs=3)[0], tmp_path / "whole")
    assert same_weights(resumed.model.state_dict(), whole.model.state_dict())
    assert resumed.teacher_f1 == whole.teacher_f1


def test_a_checkpoint_of_another_teacher_or_of_other_layers_is_not_used(student, large, toys, tmp_path):
    with TrainingFolder(tmp_path / "t") as folder:
        student(epochs=1)[0].run(folder)
        for made, events in (student(3, epochs=1), student(epochs=1, imitation=0.5)):
            made.run(folder)
            assert not [event for event in events if event["event"] == "resume"]
        made, events = student(epochs=1, imitation=0.5)
        made.run(folder)
        assert [event["epoch"] for event in events if event["event"] == "resume"] == [1]
    other = tmp_path / "other"
    shutil.copytree(large.path, other)
    weights = load_file(other / "model.safetensors")
    weights["classifier.bias"] += 1
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    assert LargerModel(read_bundle(large.path)).identity == LargerModel(large).identity != LargerModel(large, 3).identity


def test_a_teacher_stays_as_it_is(student, large, tmp_path):
    before = (large.path / "model.safetensors").read_bytes()
    made, _ = student(epochs=2, learning_rate=1e-1)
    head = made._teacher.emissions(torch.eye(32))
    run(made, tmp_path / "t")
    assert torch.equal(head, made._teacher.emissions(torch.eye(32)))
    assert (large.path / "model.safetensors").read_bytes() == before


def test_a_teacher_with_broken_weights_is_named(large, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(large.path, folder)
    bundle = read_bundle(folder)
    weights = load_file(folder / "model.safetensors")
    save_file(
        {k: v for k, v in weights.items() if "classifier" not in k}, folder / "model.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(BundleError, match="its head cannot be loaded") as caught:
        LargerModel(bundle)
    assert caught.value.where == str(folder / "model.safetensors")
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(BundleError, match="its head cannot be loaded"):
        LargerModel(bundle)


def test_labels_are_those_of_the_teacher_in_its_order(large):
    assert LargerModel(large).student(0.0)[1].labels == large.info.heads[0].labels
    assert set(LABELS) == set(large.info.heads[0].labels)
