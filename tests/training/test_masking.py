import numpy as np
import pytest

from support.bases import PEOPLE, tiny_base, toy_documents
from viner.encoding import PieceEncoder
from viner.errors import BundleError
from viner.text import split_words, words_of
from viner.training.masking import Masker, Passages, mask_piece

KINDS = {"bert": None, "roberta": "BPE", "xlm-roberta": "Unigram"}


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("bases") / request.param, request.param, layers=1, tokenizer=KINDS[request.param])


def read(folder, texts, **options):
    encoder = PieceEncoder.from_folder(folder, **options)
    passages = Passages(encoder.capacity)
    for text in texts:
        passages.add(encoder.encode(text, split_words(text)))
    return encoder, passages


def test_long_texts_become_passages_that_cut_no_word_and_lose_none(folder):
    text = " ".join(f"Lan{number} ở Huế." for number in range(60))
    encoder, passages = read(folder, [text], max_pieces=20)
    whole = encoder.encode(text, split_words(text))
    parts = [passages[index] for index in range(len(passages))]
    assert np.concatenate([pieces for pieces, _ in parts]).tolist() == whole.pieces.tolist()
    assert all(1 <= len(pieces) <= encoder.capacity and begins[0] for pieces, begins in parts)
    assert sum(int(begins.sum()) for _, begins in parts) == passages.words == len(whole.words)
    assert passages.lengths.tolist() == [len(pieces) for pieces, _ in parts]


def test_a_text_that_occurs_twice_is_learned_once(folder):
    _, passages = read(folder, ["Lan ở Huế.", "Nam về.", "Lan ở Huế.", ""])
    assert (len(passages), passages.repeated) == (2, 1)


def test_what_is_held_out_depends_on_content_and_seed_not_on_order(folder):
    texts = [f"Lan gặp người {number}." for number in range(40)]
    (_, one), (_, other) = read(folder, texts), read(folder, texts[::-1])

    def held_out(passages, seed, most=100):
        learned, aside = passages.split(0.2, most, seed)
        assert sorted([*learned, *aside]) == list(range(40))
        return {passages[index][0].tobytes() for index in aside}

    assert len(held_out(one, 1)) == 8
    assert held_out(one, 1) == held_out(other, 1) != held_out(one, 2)
    assert held_out(one, 1, most=3) < held_out(one, 1)
    assert len(held_out(one, 1, most=3)) == 3


def test_whole_words_are_hidden_about_as_often_as_asked_for_and_never_special_pieces(folder):
    documents = toy_documents(300, 1)
    encoder, passages = read(folder, [document.text for document in documents])
    masker = Masker(encoder, folder, 0.15)
    special = {*encoder.rules().forbidden, *encoder.prefix, *encoder.suffix, encoder.pad}
    assert masker.mask in special
    rng = np.random.default_rng(3)
    words = chosen_words = hidden = replaced = stayed = 0
    for index in range(len(passages)):
        pieces, begins = passages[index]
        changed, chosen = masker.hide(pieces, begins, rng)
        assert (changed[~chosen] == pieces[~chosen]).all()
        for part, old, new in zip(*(np.split(a, np.flatnonzero(begins)[1:]) for a in (chosen, pieces, changed)), strict=True):
            words += 1
            assert len(set(part.tolist())) == 1
            if part[0]:
                chosen_words += 1
                behind = new == masker.mask
                assert behind.all() or not behind.any()
                hidden += bool(behind.all())
                stayed += bool((old == new).all())
                replaced += not behind.any() and bool((old != new).any())
                assert behind.all() or not special & set(new.tolist())
    assert chosen_words / words == pytest.approx(0.15, abs=0.025)
    assert [n / chosen_words for n in (hidden, replaced, stayed)] == pytest.approx([0.8, 0.1, 0.1], abs=0.06)


def test_in_a_batch_the_guesses_lie_on_pieces_of_words_and_say_what_stood_there(folder):
    encoder, passages = read(folder, [document.text for document in toy_documents(30, 1)])
    batch = Masker(encoder, folder, 0.5).batch(passages, range(len(passages)), np.random.default_rng(1))
    assert len(batch.targets) > 50
    width = batch.input_ids.shape[1]
    for position, target in zip(batch.positions.tolist(), batch.targets.tolist(), strict=True):
        row, column = divmod(position, width)
        pieces, _ = passages[row]
        assert pieces[column - len(encoder.prefix)] == target
        assert batch.attention_mask[row, column] == 1
    elsewhere = np.ones(batch.input_ids.numel(), dtype=bool)
    elsewhere[batch.positions] = False
    rows = [[*encoder.prefix, *passages[row][0], *encoder.suffix] for row in range(len(passages))]
    original = np.array([row + [encoder.pad] * (width - len(row)) for row in rows]).ravel()
    assert (batch.input_ids.numpy().ravel()[elsewhere] == original[elsewhere]).all()
    assert batch.pieces == sum(map(len, rows))


def test_words_that_the_tokenizer_does_not_know_are_not_to_be_guessed(tmp_path):
    base = tiny_base(tmp_path / "base", layers=1)
    encoder, passages = read(base, ["Lan 😷 가 Nam"])
    masker = Masker(encoder, base, 0.999)
    pieces, begins = passages[0]
    _, chosen = masker.hide(pieces, begins, np.random.default_rng(1))
    assert chosen.tolist() == [True, False, False, True]


def test_the_mask_piece_is_found_by_what_the_folder_says_and_its_absence_is_told(tmp_path):
    import json

    base = tiny_base(tmp_path / "base", layers=1)
    size = json.loads((base / "config.json").read_text())["vocab_size"]
    assert mask_piece(base, size) == 4
    config = json.loads((base / "tokenizer_config.json").read_text())
    (base / "tokenizer_config.json").write_text(json.dumps({**config, "mask_token": {"content": PEOPLE[0]}}))
    assert mask_piece(base, size) == 5
    tokenizer = (base / "tokenizer.json").read_text().replace("[MASK]", "[OTHER]")
    (base / "tokenizer.json").write_text(tokenizer)
    (base / "tokenizer_config.json").write_text(json.dumps({**config, "mask_token": None}))
    with pytest.raises(BundleError, match="no mask piece") as caught:
        mask_piece(base, size)
    assert caught.value.where == str(base)
    assert "--adapt" in caught.value.hint


def test_documents_bring_their_own_words(folder):
    encoder = PieceEncoder.from_folder(folder)
    passages = Passages(encoder.capacity)
    document = toy_documents(1)[0].with_(words=[(0, 6)], entities=None)
    passages.add(encoder.encode(document.text, words_of(document)))
    assert passages.words == 1
