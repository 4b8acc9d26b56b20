"""What a partially annotated document teaches: what a person decided, and nothing else."""

import re

import numpy as np
import pytest
import torch

from support.bases import LABELS, toy_documents
from training.conftest import RECIPE
from viner.corpus import REVIEWED
from viner.document import Document, Entity
from viner.encoding import PieceEncoder
from viner.errors import InputError
from viner.text import split_words
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.data import TrainingSet
from viner.training.heads import IGNORED, EntityHead
from viner.training.model import MultiHeadModel, load_encoder
from viner.training.scoring import DevSet
from viner.training.trainer import Trainer

HEAD = EntityHead("entities", LABELS, 32, 0.1)
OUTSIDE, B_PERSON, I_PERSON, B_PLACE, I_PLACE = range(5)
TEXT = "Lan gặp Nam ở Hà Nội hôm qua."


def span(surface, text=TEXT):
    start = text.index(surface)
    return [start, start + len(surface)]


def tags(entities, reviewed, text=TEXT):
    """The tags that are taught, by word."""
    document = Document(
        text,
        entities=[Entity(*span(surface, text), label) for surface, label in entities],
        meta={} if reviewed is None else {REVIEWED: [span(surface, text) for surface in reviewed]},
    )
    words = split_words(text)
    targets = HEAD.targets(document, words).tags.tolist()
    return {text[start:end]: tag for (start, end), tag in zip(words, targets, strict=True) if tag != IGNORED}


def test_a_whole_document_teaches_every_word():
    found = tags([("Lan", "PERSON")], None)
    assert found == dict.fromkeys("gặp Nam ở Hà Nội hôm qua .".split(), OUTSIDE) | {"Lan": B_PERSON}


def test_accepted_entities_teach_their_words_and_nothing_beside_them():
    assert tags([("Lan", "PERSON"), ("Hà Nội", "LOCATION")], ["Lan", "Hà Nội"]) == {
        "Lan": B_PERSON,
        "Hà": B_PLACE,
        "Nội": I_PLACE,
    }


def test_an_entity_teaches_even_where_the_spans_do_not_name_it():
    assert tags([("Lan", "PERSON")], []) == {"Lan": B_PERSON}


def test_a_rejected_span_teaches_that_there_is_no_entity():
    assert tags([("Lan", "PERSON")], ["Lan", "hôm qua"]) == {"Lan": B_PERSON, "hôm": OUTSIDE, "qua": OUTSIDE}


def test_a_rejected_span_that_an_entity_touches_teaches_nothing_of_its_rest():
    assert tags([("Nam", "PERSON")], ["Nam", "gặp Nam ở"]) == {"Nam": B_PERSON}
    assert tags([("Hà Nội", "LOCATION")], ["Nội hôm", "Hà Nội", "ở"]) == {"Hà": B_PLACE, "Nội": I_PLACE, "ở": OUTSIDE}


def test_part_of_a_word_says_nothing_of_the_word():
    assert tags([], ["ôm qua"]) == {"qua": OUTSIDE}


def test_entities_that_tags_cannot_say_do_not_turn_into_no_entity():
    assert tags([("Nam", "AGE")], ["Nam"]) == {}
    crossing = tags([("Lan gặp Nam", "PERSON"), ("Nam ở", "LOCATION")], ["Lan gặp Nam", "Nam ở"])
    assert crossing == {"Lan": B_PERSON, "gặp": I_PERSON, "Nam": I_PERSON}


def hide(document, keep):
    """A document of which a person has accepted the entities that ``keep`` is true of, and looked at nothing else."""
    entities = [entity for entity in document.entities if keep(entity)]
    return document.with_(entities=entities, meta={REVIEWED: [[entity.start, entity.end] for entity in entities]})


def learn(base, documents, **choices):
    config = TrainingConfig(**{"replace_mentions": 0.0, "harden": 0.0, **choices})
    encoder = PieceEncoder.from_folder(base, views=config.views, max_pieces=config.window_pieces)
    return TrainingSet(documents, encoder, HEAD, config), encoder


@pytest.mark.parametrize(
    "choices", [{}, {"join": 0.9}, {"split": 0.9}, {"respace": 0.9}, {"window_pieces": 12, "window_overlap": 4}]
)
def test_each_decided_word_is_taught_once_an_epoch_and_no_batch_is_without_any(base, choices):
    documents = [hide(d, lambda entity: entity.label == "PERSON") for d in toy_documents(40, 5)] + toy_documents(5, 6)
    long = " ".join(["rồi"] * 200)
    documents += [Document(f"Lan {long}.", entities=[Entity(0, 3, "PERSON")], meta={REVIEWED: [[0, 3]]})]
    documents += [Document("Huế.", entities=[], meta={REVIEWED: []})]
    found, _ = learn(base, documents, batch_pieces=64, **choices)
    whole = sorted(found.targets[found.targets != IGNORED].tolist())
    for seed in range(4):
        batches = found.epoch(np.random.default_rng(seed))
        assert all((batch.targets != IGNORED).any() for batch in batches)
        assert sorted(torch.cat([batch.targets[batch.targets != IGNORED] for batch in batches]).tolist()) == whole


def test_only_decided_words_send_gradients(base):
    """Each word's vector gets the gradient of its own loss: none where nobody decided."""
    torch.manual_seed(0)
    model = MultiHeadModel(load_encoder(base, 0.0), [HEAD]).eval()
    entity = Entity(*span("Hà Nội"), "LOCATION")
    for meta, expected in (
        ({REVIEWED: [span("Hà Nội"), span("qua")]}, {"Hà", "Nội", "qua"}),
        ({}, set(re.findall(r"\w+|\.", TEXT))),
    ):
        found, _ = learn(base, [Document(TEXT, entities=[entity], meta=meta)], respace=0.0)
        (batch,) = found.epoch(np.random.default_rng(0))
        vectors = model(batch.input_ids, batch.attention_mask, batch.first).detach().requires_grad_()
        HEAD.loss(HEAD(vectors), batch.targets).backward()
        moves = vectors.grad.abs().sum(dim=1) > 0
        assert {TEXT[start:end] for (start, end), moved in zip(split_words(TEXT), moves, strict=True) if moved} == expected


def test_a_model_learns_from_parts_what_whole_documents_do_not_tell_it(base, tmp_path):
    """Paris stands only in documents that nobody finished, where the places alone are accepted.

    Taught as whole documents, those would say that the people in them are no entities.
    """
    documents = toy_documents(400, 11)
    done = [document for document in documents if "Paris" not in document.text]
    started = [hide(d, lambda entity: entity.label == "LOCATION") for d in documents if "Paris" in d.text]
    assert min(len(done), len(started)) > 50
    dev = [document for document in toy_documents(100, 13) if "Paris" in document.text]

    def f1(train, folder):
        trainer = Trainer(base, LABELS, train, dev, TrainingConfig(**RECIPE))
        with TrainingFolder(tmp_path / folder) as entered:
            scores = trainer.run(entered).scores
        return {label: scores.labels[label].f1 for label in LABELS}

    masked = f1([*done, *started], "masked")
    without = f1(done, "without")
    as_whole = f1([*done, *(document.with_(meta={}) for document in started)], "whole")
    assert min(masked.values()) > 0.9
    assert without["LOCATION"] < masked["LOCATION"]
    assert as_whole["PERSON"] < masked["PERSON"] - 0.1


def test_parts_alone_are_refused_where_nothing_is_known_to_be_outside(base):
    dev = toy_documents(5, 2)
    documents = [hide(d, lambda entity: True) for d in toy_documents(20, 3)]
    with pytest.raises(InputError, match="no word of them is known to be outside of entities") as caught:
        Trainer(base, LABELS, documents, dev, TrainingConfig(**RECIPE))
    assert "Finish" in caught.value.hint
    Trainer(base, LABELS, [*documents, Document("Lan đi", entities=[Entity(0, 3, "PERSON")])], dev, TrainingConfig(**RECIPE))


def test_parts_are_never_scored(base):
    encoder = PieceEncoder.from_folder(base)
    with pytest.raises(InputError, match="1 document is annotated only in part"):
        DevSet([*toy_documents(3), hide(toy_documents(1)[0], lambda entity: True)], encoder, overlap=8)
