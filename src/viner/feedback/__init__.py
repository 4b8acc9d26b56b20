"""Answers that visitors of a published app flag as wrong: collected in a folder, erasable, and read back home.

It knows no web framework: :mod:`viner.server.feedback` has the routes, :mod:`viner.console.feedback` the form.
"""

from viner.feedback.box import QUOTA, FeedbackBox
from viner.feedback.entry import LONGEST_COMMENT, LONGEST_TEXT, make_entry, new_receipt, read_receipt
from viner.feedback.errors import (
    FeedbackBusyError,
    FeedbackError,
    FeedbackFullError,
    ReceiptUsedError,
    UnknownReceiptError,
)
from viner.feedback.reading import collected_source, is_collected, read_collected

__all__ = [
    "LONGEST_COMMENT",
    "LONGEST_TEXT",
    "QUOTA",
    "FeedbackBox",
    "FeedbackBusyError",
    "FeedbackError",
    "FeedbackFullError",
    "ReceiptUsedError",
    "UnknownReceiptError",
    "collected_source",
    "is_collected",
    "make_entry",
    "new_receipt",
    "read_collected",
    "read_receipt",
]
