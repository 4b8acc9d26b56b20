"""The segmenter of a model of segments: its name and version in ``viner.json``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from viner.errors import BundleError, UsageError
from viner.text import Segmenter, find_segmenter

_log = logging.getLogger("viner")


@dataclass(frozen=True, slots=True)
class SegmenterRecord:
    """What groups words into the segments that a model reads.

    Args:
        name: Its name among the segmenters.
        version: Its version when the model was trained.
    """

    name: str
    version: str

    @classmethod
    def named(cls, name: str) -> SegmenterRecord:
        """The segmenter of a name in the version that is installed here.

        Raises:
            UsageError: If there is none of that name.
            MissingExtraError: If what it needs is not installed.
        """
        return cls(name, find_segmenter(name).version)

    def open(self) -> Segmenter:
        """The segmenter. Another version than the model's is taken, with a warning: few segments differ, and few entities.

        Raises:
            BundleError: If no package here offers one of that name.
            MissingExtraError: If it needs an extra that is not installed.
        """
        try:
            segmenter = find_segmenter(self.name)
        except UsageError as error:
            raise BundleError(
                f"the model reads segments of {self.name!r}, a segmenter that is not installed here",
                hint=f"Install the package that it came from (version {self.version} when the model was trained)",
            ) from error
        if segmenter.version != self.version:
            _log.warning(
                "the model learned from segments of %s %s, and %s is installed: a few answers may differ",
                self.name,
                self.version,
                segmenter.version,
            )
        return segmenter

    def to_dict(self) -> dict[str, str]:
        """The JSON form."""
        return {"name": self.name, "version": self.version}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SegmenterRecord:
        """Reads the JSON form."""
        return cls(str(data["name"]), str(data["version"]))
