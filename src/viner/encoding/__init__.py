"""Text to pieces and emissions back to entities: everything that decides which characters a model sees and answers.

The path is the same in training and recognition: words with exact spans → pieces word by word (:class:`PieceEncoder`) →
overlapping windows (:func:`plan_windows`) → one emission a word → one decoding of the whole document (:class:`BioDecoder`).
"""

from viner.encoding.alignment import AlignedTags, LostEntity, align
from viner.encoding.batches import (
    BATCH_SCORES,
    FIRST_PIECES,
    PACKED,
    PACKED_PLACES,
    PACKED_ROWS,
    cut_by_budget,
    cut_by_length,
    cut_by_pieces,
    side_by_side,
)
from viner.encoding.decoding import BioDecoder, WordSpan, bio_tags, check_least_score, class_probabilities
from viner.encoding.tokenizer import SEGMENTS, EncodedText, PieceEncoder, PieceRules, learned_segments, position_limit
from viner.encoding.windows import Window, plan_windows

__all__ = [
    "BATCH_SCORES",
    "FIRST_PIECES",
    "PACKED",
    "PACKED_PLACES",
    "PACKED_ROWS",
    "SEGMENTS",
    "AlignedTags",
    "BioDecoder",
    "EncodedText",
    "LostEntity",
    "PieceEncoder",
    "PieceRules",
    "Window",
    "WordSpan",
    "align",
    "bio_tags",
    "check_least_score",
    "class_probabilities",
    "cut_by_budget",
    "cut_by_length",
    "cut_by_pieces",
    "learned_segments",
    "plan_windows",
    "position_limit",
    "side_by_side",
]
