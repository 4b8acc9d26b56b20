"""``viner.json``: what a model folder says about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from viner.bundle.segmenter import SegmenterRecord
from viner.encoding import SEGMENTS, bio_tags
from viner.errors import BundleError, SchemaError, UsageError
from viner.metrics.calibration import Calibration
from viner.schema import Schema

VERSION = 2
"""Version of the model folder. A viner reads this one and all before it; a folder says the first one that reads it."""
GRAPH = "model.onnx"
EXACT = f"{GRAPH}.fp32.onnx"
"""The float32 graph of a model that has both."""
GRAPHS = ("int8", "fp32")
CASCADE = "cascade"
ENGINES = (*GRAPHS, CASCADE)
"""What recognizes: one of two graphs, or both: int8, and float32 where that is unsure (``viner.runtime.cascade``)."""
MEASURED_WITH = "measured_with"
"""Key of a model's ``evidence``, for its figures, and of its calibration: the engine they are of, where it runs another."""
HEAD_KINDS = ("softmax-bio",)


def check_engine(name: str, known: Sequence[str] = ENGINES) -> None:
    """Refuses what is no engine.

    Raises:
        UsageError: If it is none of those that are known.
    """
    if name not in known:
        raise UsageError(f"unknown engine {name!r}", hint=f"Engines: {', '.join(known)}")


def graphs_of(engine: str) -> tuple[str, ...]:
    """The graphs that an engine needs, of :data:`GRAPHS`."""
    return GRAPHS if engine == CASCADE else (engine,)


def place_of_graphs(engine: str) -> dict[str, str]:
    """The graphs of an engine, and the names of their files in a model folder."""
    return dict(zip(graphs_of(engine), (GRAPH, EXACT), strict=False))


@dataclass(frozen=True, slots=True)
class Head:
    """How the model answers one layer.

    Args:
        layer: Name of the layer, and of the graph's output.
        kind: "softmax-bio": one BIO tag a word, decoded to the best well-formed sequence.
        tags: The tags in the order of the outputs: ``O``, then ``B-x`` and ``I-x`` for each label.
    """

    layer: str
    kind: str
    tags: tuple[str, ...]

    @classmethod
    def softmax_bio(cls, layer: str, labels: tuple[str, ...]) -> Head:
        """The head of an entity layer with the given labels, in the order of its outputs."""
        return cls(layer, "softmax-bio", tuple(bio_tags(labels)))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the outputs."""
        return tuple(tag.removeprefix("B-") for tag in self.tags[1::2])

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"layer": self.layer, "kind": self.kind, "tags": list(self.tags)}


@dataclass(frozen=True, slots=True)
class Windows:
    """How long documents are cut, in pieces.

    Args:
        pieces: Pieces that the model reads at once, special pieces included.
        overlap: Pieces that neighboring windows share.
    """

    pieces: int
    overlap: int

    def to_dict(self) -> dict[str, int]:
        """The JSON form."""
        return {"pieces": self.pieces, "overlap": self.overlap}


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Size and SHA-256 of one file of the folder."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleInfo:
    """The content of ``viner.json``.

    Args:
        schema: The layers that the model answers.
        heads: One head for each layer, in the order of the schema.
        windows: How long documents are cut.
        engine: What recognizes, of :data:`ENGINES`: the graph in ``model.onnx``, or, for "cascade", that of int8 there and the
            one in float32 beside it.
        evidence: Why that engine was chosen: the counts and figures of the comparison.
        views: Views that each word passes through before it is cut into pieces.
        segmenter: What groups words into the segments that the model reads; None for a model that reads words.
        calibration: What makes scores of entities probabilities of being right; None leaves them as they are.
        least_estimate: Entities of which the model's own estimate, before calibration, is lower are left out
            (``BioDecoder`` in ``viner.encoding``); 0 leaves out none.
        base: The encoder that training started from: its name, revision or hash.
        data: Fingerprint of the training data.
        chosen: What somebody said of the model where it was published (``viner.bundle.Chosen``), empty before.
        metrics: Figures of the evaluation, by split.
        viner: Version of viner that wrote the folder.
        files: Size and hash of each file, filled in when the folder is written.
    """

    schema: Schema
    heads: tuple[Head, ...]
    windows: Windows
    engine: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    views: tuple[str, ...] = ("nfc",)
    segmenter: SegmenterRecord | None = None
    calibration: Calibration | None = None
    least_estimate: float = 0.0
    base: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    viner: str = ""
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    @property
    def least_score(self) -> float | None:
        """The score below which entities are left out, 0 where none is.

        None where scores are not calibrated: they are another mean than the estimate, in which the end counts.
        """
        if not self.least_estimate:
            return 0.0
        if self.calibration is None:
            return None
        return float(self.calibration(np.array([self.least_estimate]))[0])

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "bundle": 2 if self.engine == CASCADE else 1,
            "viner": self.viner,
            "schema": self.schema.to_dict(),
            "heads": [head.to_dict() for head in self.heads],
            "views": list(self.views),
            **({} if self.segmenter is None else {"segmenter": self.segmenter.to_dict()}),
            "windows": self.windows.to_dict(),
            "calibration": {} if self.calibration is None else self.calibration.to_dict(),
            **({"least_estimate": self.least_estimate} if self.least_estimate else {}),
            "engine": self.engine,
            "evidence": dict(self.evidence),
            "base": dict(self.base),
            "data": dict(self.data),
            **({"chosen": dict(self.chosen)} if self.chosen else {}),
            "metrics": dict(self.metrics),
            "files": {name: {"bytes": item.size, "sha256": item.sha256} for name, item in self.files.items()},
        }

    @classmethod
    def read(cls, path: Path) -> BundleInfo:
        """Reads ``viner.json``.

        Raises:
            BundleError: If it is missing, no JSON, of a later version, or contradicts itself; ``where`` is the file.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BundleError(f"it cannot be read ({error})", where=path, hint="Copy the model folder again") from error
        version = data.get("bundle") if isinstance(data, dict) else None
        if not isinstance(version, int) or version < 1:
            raise BundleError("it names no bundle version", where=path, hint="Is this a model folder of viner?")
        if version > VERSION:
            raise BundleError(
                f"the model was written by viner {data.get('viner') or '(unknown)'} as bundle version {version}, and this viner"
                f" reads versions up to {VERSION}",
                where=path,
                hint="Update viner: pip install -U viner",
            )
        try:
            return parse_info(data)
        except (KeyError, TypeError, ValueError, AttributeError, SchemaError) as error:
            problem = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
            raise BundleError(problem, where=path, hint="The file was changed by hand or damaged; copy it again") from error


def file_name(name: str) -> str:
    """A name that somebody else gave, such as ``viner.json``, if it is one of a file in a folder.

    Raises:
        ValueError: If it leads elsewhere: what is copied along must not be written there.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or any(sign in name for sign in "\\\0:"):
        raise ValueError(f"{name!r} is no name of a file in the folder")
    return name


def parse_info(data: dict[str, Any]) -> BundleInfo:
    """Reads the JSON form of the version that this viner writes.

    Raises:
        KeyError: If a key is missing.
        ValueError: If it contradicts itself.
        TypeError: If a value is of another kind.
        SchemaError: If its schema contradicts itself.
    """
    schema = Schema.from_dict(data["schema"])
    heads = tuple(Head(item["layer"], item["kind"], tuple(item["tags"])) for item in data["heads"])
    for head in heads:
        if head.kind not in HEAD_KINDS:
            raise ValueError(f"unknown kind of head {head.kind!r}")
        if sorted(head.labels) != sorted(schema[head.layer].names) or list(head.tags) != bio_tags(head.labels):
            raise ValueError(f"the tags of layer {head.layer!r} do not fit its types")
    if not heads:
        raise ValueError("there is no head")
    answered = {head.layer for head in heads}
    schema = Schema(tuple(layer for layer in schema if layer.name in answered))  # older models list what nobody trained
    windows = Windows(int(data["windows"]["pieces"]), int(data["windows"]["overlap"]))
    if not 0 <= windows.overlap < windows.pieces:
        raise ValueError(f"windows of {windows.pieces} pieces cannot overlap by {windows.overlap}")
    if data["engine"] not in ENGINES:
        raise ValueError(f"unknown engine {data['engine']!r}")
    least = float(data.get("least_estimate", 0.0))
    if not 0 <= least <= 1:
        raise ValueError(f"a least estimate of {least} is no probability")
    segmenter = SegmenterRecord.from_dict(data["segmenter"]) if data.get("segmenter") else None
    if (segmenter is not None) != (SEGMENTS in data["views"]):
        raise ValueError(f"a segmenter and the view {SEGMENTS!r} go together")
    return BundleInfo(
        schema=schema,
        heads=heads,
        windows=windows,
        engine=data["engine"],
        evidence=dict(data["evidence"]),
        views=tuple(data["views"]),
        segmenter=segmenter,
        calibration=Calibration.from_dict(data["calibration"]) if data["calibration"] else None,
        least_estimate=least,
        base=dict(data["base"]),
        data=dict(data["data"]),
        chosen=dict(data.get("chosen", {})),
        metrics=dict(data["metrics"]),
        viner=str(data["viner"]),
        files={file_name(name): FileRecord(int(item["bytes"]), str(item["sha256"])) for name, item in data["files"].items()},
    )
