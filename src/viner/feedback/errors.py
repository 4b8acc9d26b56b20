"""What can go wrong with collected answers. A stranger may read these messages: they name no folder of the server."""

from __future__ import annotations

from viner.errors import InputError, VinerError


class FeedbackError(VinerError):
    """The folder cannot be used, or its file cannot be written."""

    code = "feedback_failed"


class FeedbackFullError(FeedbackError):
    """There is no room for more."""

    code = "feedback_full"

    def __init__(self) -> None:
        super().__init__(
            "this app has no room for more flagged answers", hint="Nothing was kept; tell the operator, who can make room"
        )


class FeedbackBusyError(FeedbackError):
    """Others are writing all the time."""

    code = "feedback_busy"

    def __init__(self) -> None:
        super().__init__("the flagged answers are being written by others", hint="Nothing was changed; try again in a moment")


class UnknownReceiptError(InputError):
    """Nothing was ever kept under a receipt, or the operator has removed it."""

    code = "unknown_receipt"

    def __init__(self) -> None:
        super().__init__(
            "nothing is kept under this receipt",
            where="receipt",
            hint="Check it for missing characters; if it is right, the operator has removed what was kept",
        )


class ReceiptUsedError(InputError):
    """A receipt came a second time, with something else."""

    code = "receipt_used"

    def __init__(self) -> None:
        super().__init__("this receipt belongs to something else", where="receipt", hint="Leave it away, and get a new one")
