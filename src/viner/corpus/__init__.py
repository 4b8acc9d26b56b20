"""Looking at a corpus as a whole: counting it, finding what is doubtful in it, splitting it."""

from viner.answer_meta import REVIEWED
from viner.corpus.flagged import FEEDBACK, Flag, flag_of
from viner.corpus.folds import fold_numbers
from viner.corpus.lint import Finding, lint
from viner.corpus.reviewed import is_partial, refuse_partial, reviewed_spans
from viner.corpus.sentences import sentences_of
from viner.corpus.split import split_documents
from viner.corpus.stats import Statistics, statistics

__all__ = [
    "FEEDBACK",
    "REVIEWED",
    "Finding",
    "Flag",
    "Statistics",
    "flag_of",
    "fold_numbers",
    "is_partial",
    "lint",
    "refuse_partial",
    "reviewed_spans",
    "sentences_of",
    "split_documents",
    "statistics",
]
