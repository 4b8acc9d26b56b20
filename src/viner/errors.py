"""Errors that say what was wrong, where, and what to do next.

Every error that viner raises on purpose is a :class:`VinerError`. It carries three texts for people (``message``, ``where``,
``hint``) and one stable ``code`` for programs; the command line prints the first three, the REST API sends all four.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

_OURS = str(Path(__file__).parent) + os.sep
_INNERMOST = 5


class VinerError(Exception):
    """Base of all errors that viner raises on purpose.

    Args:
        message: What was wrong, one sentence without a final period.
        where: The place, such as ``train.conll:17``, ``entities[3].end`` or a folder; None when there is none.
        hint: What to do next; None when the message already says it.
    """

    code = "error"
    exit_status = 1

    def __init__(self, message: str, *, where: str | Path | None = None, hint: str | None = None) -> None:
        self.message = message
        self.where = None if where is None else str(where)
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        text = self.message if self.where is None else f"{self.where}: {self.message}"
        return text if self.hint is None else f"{text}. {self.hint}"

    def to_dict(self) -> dict[str, str | None]:
        """The REST form: ``{"code", "message", "where", "hint"}``."""
        return {"code": self.code, "message": self.message, "where": self.where, "hint": self.hint}


class UsageError(VinerError, ValueError):
    """The call itself is off: an option or argument that cannot be used (exit status 2)."""

    code = "usage"
    exit_status = 2


class InputError(VinerError, ValueError):
    """Data that cannot be read or does not hold what it claims. A ``ValueError``, since the value is at fault, not the type."""

    code = "invalid_input"


class FormatError(InputError):
    """A file that breaks its format; ``where`` is always ``file:line``."""

    code = "invalid_format"


class SchemaError(InputError):
    """A layer, type or label that the schema does not know, or a schema that contradicts itself."""

    code = "invalid_schema"


class BundleError(VinerError):
    """A model folder that is incomplete, damaged, of a later version, or no model folder at all."""

    code = "invalid_model"


class TrainingError(VinerError):
    """A training that cannot start or cannot go on."""

    code = "training_failed"


class MissingExtraError(VinerError, ImportError):
    """A feature whose optional dependencies are not installed.

    Args:
        feature: What the caller asked for, such as "training a model".
        extra: The extra that brings it, such as "train".
    """

    code = "missing_extra"

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}'", hint=f"Install it with: pip install 'viner[{extra}]'")
        self.extra = extra


class MissingPackageError(VinerError, ImportError):
    """Another library that a feature works with is not installed, and no extra brings it.

    Args:
        feature: What the caller asked for, such as "tracking with wandb".
        package: What pip calls it.
    """

    code = "missing_package"

    def __init__(self, feature: str, package: str) -> None:
        super().__init__(f"{feature} needs the package '{package}'", hint=f"Install it with: pip install {package}")
        self.package = package


def outline(error: BaseException) -> str:
    """Type and place of an exception for logs, without its message, which could quote a document.

    Innermost first: where it arose, and every step of viner on the way there. What other packages did in between, which is
    dozens of steps of a web framework in a server, is an ellipsis.
    """
    frames = list(reversed(traceback.extract_tb(error.__traceback__)))
    parts = [type(error).__name__]
    for depth, frame in enumerate(frames):
        if depth < _INNERMOST or frame.filename.startswith(_OURS):
            parts.append(f"{frame.filename}:{frame.lineno} {frame.name}")
        elif parts[-1] != "…":
            parts.append("…")
    return " < ".join(parts)


def interruption(error: BaseException) -> BaseException | None:
    """The Ctrl-C, or whatever else ends a program rather than a step of it, that an error covered on its way out, if any.

    A library that cleans up after it can fail at that: PyTorch's writer of files says "unexpected pos" then.
    """
    found: BaseException | None = error
    while isinstance(found, Exception | GeneratorExit):
        found = found.__cause__ or found.__context__
    return found
