from collections import Counter

import numpy as np
import pytest
import torch

from support.bases import LABELS, toy_documents
from viner.corpus import REVIEWED
from viner.document import Document, Entity
from viner.encoding import PieceEncoder, cut_by_budget
from viner.text import split_words
from viner.training.config import TrainingConfig
from viner.training.data import TrainingSet
from viner.training.heads import IGNORED, EntityHead, prior_entropy

HEAD = EntityHead("entities", LABELS, 32, 0.1)
PLACES = Entity(0, 3, "PERSON")


def long_document(words):
    text = " ".join(["Lan", "đi", "Hà", "Nội"] * (words // 4)) + "."
    entities = [Entity(i, i + 3, "PERSON") for i in range(0, len(text) - 1, len("Lan đi Hà Nội "))]
    return Document(text, entities=entities)


def learn(base, documents, **choices):
    config = TrainingConfig(**{"replace_mentions": 0.0, "harden": 0.0, **choices})
    encoder = PieceEncoder.from_folder(base, views=config.views, max_pieces=config.window_pieces)
    return TrainingSet(documents, encoder, HEAD, config)


def taught(batches):
    """How often each (first piece, target) was taught."""
    found = Counter()
    for batch in batches:
        first = batch.input_ids.flatten()[batch.first]
        found.update((int(piece), int(target)) for piece, target in zip(first, batch.targets, strict=True) if target != IGNORED)
    return found


def targets(found):
    """How often each target was taught."""
    return sum((Counter({target: count}) for (_, target), count in found.items()), Counter())


@pytest.mark.parametrize(
    "choices", [{}, {"join": 0.9}, {"split": 0.9}, {"window_pieces": 16, "window_overlap": 6}, {"respace": 0.9}]
)
def test_every_word_is_taught_exactly_once_an_epoch(base, choices):
    documents = [*toy_documents(30, 3), long_document(400), Document("", entities=[]), Document("Lan", entities=[PLACES])]
    found = learn(base, documents, **choices)
    whole = Counter(found.targets.tolist())
    epochs = [taught(found.epoch(np.random.default_rng(seed))) for seed in range(8)]
    assert all(epoch == epochs[0] for epoch in epochs)
    assert targets(epochs[0]) == whole
    assert whole.total() == sum(len(split_words(document.text)) for document in documents)


def test_mentions_are_replaced_anew_each_epoch_and_teach_as_many_of_each_label(base):
    documents = [*toy_documents(40, 3), long_document(400), Document("", entities=[])]
    found, plain = (learn(base, documents, replace_mentions=share, window_pieces=32, window_overlap=8) for share in (0.6, 0))
    clean = taught(plain.epoch(np.random.default_rng(0)))
    epochs = [taught(found.epoch(np.random.default_rng(seed))) for seed in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    for epoch in epochs:
        # Words beside of mentions are what they were, and no piece is taught as what it never was.
        assert Counter({key: count for key, count in epoch.items() if key[1] == 0}) == Counter(
            {key: count for key, count in clean.items() if key[1] == 0}
        )
        assert {target: targets(epoch)[target] for target in (1, 3)} == {target: targets(clean)[target] for target in (1, 3)}
        assert set(epoch) <= set(clean)


def test_an_entity_over_the_end_of_a_sentence_is_replaced_as_a_whole_or_not_at_all(base):
    """Else its second half would be left behind another mention."""
    text = "Lan đi. Hà Nội"
    documents = [Document(text, entities=[Entity(0, len(text), "PERSON")]), *toy_documents(10, 2)]
    found = learn(base, documents, replace_mentions=0.9, split=0.999, join=0.0)
    assert [len(sentences) for sentences in (unit.sentences for unit in found._units[:1])] == [2]
    for seed in range(10):
        rows = [
            batch.targets[(batch.first // batch.input_ids.shape[1]) == row].tolist()
            for batch in found.epoch(np.random.default_rng(seed))
            for row in range(len(batch.input_ids))
        ]
        assert [1, 2, 2] in rows, "its first half is as it was"


def test_no_mention_is_replaced_in_hardened_sequences_and_a_teacher_says_nothing_of_others(base):
    documents = toy_documents(40, 3)
    hard = learn(base, documents, replace_mentions=0.9, harden=0.999)
    assert taught(hard.epoch(np.random.default_rng(0))) == taught(
        learn(base, documents, harden=0.999).epoch(np.random.default_rng(0))
    )
    alone, beside = (learn(base, documents, replace_mentions=0.9, join=0.0) for _ in range(2))
    beside.hear([np.zeros((len(split_words(document.text)), 4), np.float16) for document in documents])
    batches = beside.epoch(np.random.default_rng(0))
    assert taught(batches) == taught(alone.epoch(np.random.default_rng(0)))
    for batch in batches:
        assert (batch.targets[~batch.heard] > 0).all()
    unheard = sum(int((~batch.heard).sum()) for batch in batches)
    assert unheard > 0.7 * sum(int((batch.targets > 0).sum()) for batch in batches)


def test_hardened_sequences_teach_the_same_words_in_another_form(base):
    documents = [*toy_documents(30, 3), long_document(400), Document("", entities=[]), Document("Lan", entities=[PLACES])]
    found, plain = (learn(base, documents, harden=share, window_pieces=32, window_overlap=8) for share in (0.9, 0))
    hard, clean = (taught(training_set.epoch(np.random.default_rng(0))) for training_set in (found, plain))
    assert targets(hard) == targets(clean)
    (lan,) = {piece for piece, target in clean if target == 1 and clean[piece, target] > 100}
    assert 0 < hard[lan, 1] < clean[lan, 1]


def test_the_share_of_steps_with_known_words_is_what_comes_out(base):
    documents = toy_documents(60, 3)
    bare = [document.with_(entities=(), meta={REVIEWED: []}) for document in documents[3:]]
    config = TrainingConfig(replace_mentions=0.0, harden=0.0, batch_pieces=60)
    encoder = PieceEncoder.from_folder(base, views=config.views, max_pieces=config.window_pieces)
    found = TrainingSet([*documents[:3], *bare], encoder, HEAD, config, every_word=True)
    batches = [batch for seed in range(40) for batch in found.epoch(np.random.default_rng(seed))]
    share = np.mean([bool((batch.targets != IGNORED).any()) for batch in batches])
    assert 0.1 < share < 0.9
    assert found.taught_steps() == pytest.approx(share, rel=0.4), "special pieces and padding make more steps"
    assert learn(base, documents, batch_pieces=60).taught_steps() > 0.98
    assert TrainingSet(bare, encoder, HEAD, config, every_word=True).taught_steps() == 0


def test_a_batch_in_more_parts_than_it_has_pieces_is_a_piece_each(base):
    config = TrainingConfig(replace_mentions=0.0, harden=0.0)
    encoder = PieceEncoder.from_folder(base, views=config.views, max_pieces=config.window_pieces)
    assert TrainingSet(toy_documents(3, 3), encoder, HEAD, config, parts=100_000).batch_pieces == 1


def test_batches_stay_within_budget_and_window(base):
    found = learn(base, [*toy_documents(60, 3), long_document(400)], window_pieces=32, window_overlap=8, batch_pieces=128)
    for batch in found.epoch(np.random.default_rng(0)):
        assert batch.input_ids.shape[1] <= 32
        assert batch.input_ids.numel() <= 128
        assert (batch.targets != IGNORED).any()  # else the loss would be no number
        assert batch.pieces == int(batch.attention_mask.sum())
        assert (batch.input_ids[batch.attention_mask == 0] == 0).all()
        assert (batch.input_ids[:, 0] == 2).all()


def test_epochs_differ_by_seed_only(base):
    found = learn(base, toy_documents(30, 3))
    one, same, other = (found.epoch(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(a.input_ids, b.input_ids) for a, b in zip(one, same, strict=True))
    assert len(one) != len(other) or not all(a.input_ids.equal(b.input_ids) for a, b in zip(one, other, strict=True))


def test_sentences_stand_alone_and_with_neighbors(base):
    documents = [Document("Lan đi. Nam về. Hoa ở.", entities=[PLACES]) for _ in range(50)]
    found = learn(base, documents)
    sizes = Counter(int(row.sum()) - 2 for batch in found.epoch(np.random.default_rng(0)) for row in batch.attention_mask)
    assert sizes[3] > 10
    assert sizes[9] > 10
    assert any(size not in (3, 9) for size in sizes)


def test_entities_that_cannot_be_taught_are_counted(base):
    documents = [Document("LanNam ở Huế", entities=[PLACES, Entity(9, 12, "AGE"), Entity(9, 12, "LOCATION")])]
    assert learn(base, documents).lost_counts() == {"cuts a word": 1, "unknown label": 1}


def test_words_of_the_document_take_precedence(base):
    found = learn(base, [Document("Hà Nội", words=[(0, 6)], entities=[Entity(0, 6, "LOCATION")])])
    assert found.targets.tolist() == [3]


def test_a_text_longer_than_the_budget_is_a_batch_by_itself():
    lengths = np.array([3, 3, 3, 50, 4])
    order = np.argsort(lengths, kind="stable")
    assert [part.tolist() for part in cut_by_budget(order, lengths, 9)] == [[0, 1, 2], [4], [3]]
    assert list(cut_by_budget(np.zeros(0, dtype=np.int64), lengths, 9)) == []


def test_the_entropy_of_the_classes():
    assert prior_entropy(torch.tensor([0, 0, 1, 1, IGNORED])) == pytest.approx(np.log(2))
