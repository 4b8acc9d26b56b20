"""Raw text: its words, its segments, its sentences, its offsets in other units, and the views that models are shown."""

from viner.text.graphemes import Graphemes
from viner.text.normalize import ToneStyle, nfc, strip_diacritics, tone_style
from viner.text.offsets import OffsetMap
from viner.text.segment import DEFAULT_SEGMENTER, Segmenter, find_segmenter, segment_words
from viner.text.sentences import split_sentences
from viner.text.words import LONGEST_WORD, split_words, words_of, words_touched

__all__ = [
    "DEFAULT_SEGMENTER",
    "LONGEST_WORD",
    "Graphemes",
    "OffsetMap",
    "Segmenter",
    "ToneStyle",
    "find_segmenter",
    "nfc",
    "segment_words",
    "split_sentences",
    "split_words",
    "strip_diacritics",
    "tone_style",
    "words_of",
    "words_touched",
]
