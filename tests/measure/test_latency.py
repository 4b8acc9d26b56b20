from __future__ import annotations

from viner.document import Document
from viner.encoding import PieceEncoder
from viner.measure import measure_latency, single_sentences
from viner.measure.latency import PIECES, WARM_UP
from viner.text import split_words


def pieces_of(encoder: PieceEncoder, text: str) -> int:
    return len(encoder.encode(text, split_words(text)).pieces)


def test_sentences_come_near_the_length_and_longer_ones_are_cut_after_a_word(tiny_model):
    encoder = PieceEncoder.from_folder(tiny_model)
    texts = ["Lan", "Lan " * 30, "Lan " * 200, "Huế " * 44, ""]
    found = single_sentences(encoder, [Document(text) for text in texts], count=3)
    assert [pieces_of(encoder, text) for text in found] == [PIECES, 44, 30]
    assert found[0] == ("Lan " * PIECES).rstrip()


def test_texts_without_words_give_no_sentence(tiny_model):
    assert single_sentences(PieceEncoder.from_folder(tiny_model), [Document(""), Document("  ")]) == []


def test_each_call_has_the_next_text_and_the_first_ones_do_not_count(tiny_model):
    calls, encoder = [], PieceEncoder.from_folder(tiny_model)
    latency = measure_latency(calls.append, encoder, ["Lan", "Huế ở"], calls=6)
    assert len(calls) == WARM_UP + 6
    assert calls[-2:] == ["Lan", "Huế ở"]
    assert latency.pieces == (pieces_of(encoder, "Lan") + pieces_of(encoder, "Huế ở")) / 2
    assert 0 <= latency.p50 <= latency.p99
