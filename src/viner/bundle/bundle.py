"""Reading a model folder: everything is checked before anything is used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from viner.bundle.canaries import NAME as CANARIES
from viner.bundle.canaries import Canaries
from viner.bundle.home import home
from viner.bundle.hub import download, is_hub_id
from viner.bundle.info import GRAPH, BundleInfo, place_of_graphs
from viner.errors import BundleError
from viner.paths import expanded
from viner.project import Project

INFO = "viner.json"
WEIGHTS = "model.safetensors"
"""What stock Transformers loads, and what a training goes on from."""
CARD = "README.md"
"""The model card. People edit it, so it is neither needed nor hashed."""
NEEDED = (INFO, "config.json", "tokenizer.json", GRAPH, CANARIES)
"""What recognition reads. The weights are for training on, for other tools, and for building another graph."""
FILES = (*NEEDED, WEIGHTS, "tokenizer_config.json")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz")
"""Kinds of files that can run code when they are loaded. No bundle holds one."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model folder that was checked.

    Args:
        path: The folder.
        info: Its ``viner.json``.
    """

    path: Path
    info: BundleInfo

    @property
    def graph(self) -> Path:
        """The ONNX file of the chosen engine; of a cascade, that of int8."""
        return self.path / GRAPH

    def graph_of(self, kind: str) -> Path:
        """Where a graph lies: in the model folder, or in viner's cache, where it may still be missing.

        Args:
            kind: "int8" or "fp32".
        """
        name = place_of_graphs(self.info.engine).get(kind)
        return rebuilt_graph(self.info, kind) if name is None else self.path / name

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the files that recognition reads: a large graph keeps its numbers in files beside it."""
        beside = (name for name in self.info.files if name.startswith(GRAPH) and name not in NEEDED)
        return (*NEEDED, *beside)

    def canaries(self) -> Canaries:
        """The texts with expected answers."""
        return Canaries.read(self.path / CANARIES)

    def verify(self, *, weights: bool = True) -> None:
        """Compares files with their SHA-256. Reads the whole folder; :func:`read_bundle` compares sizes only.

        Args:
            weights: Whether to look at all files, and not only at those that recognition reads.

        Raises:
            BundleError: If a file is missing or differs.
        """
        for name, record in self.info.files.items():
            if not weights and name not in self.needed:
                continue
            path = self.path / name
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise BundleError(f"{name} cannot be read ({error.strerror})", where=self.path, hint=_AGAIN) from error
            if digest != record.sha256:
                raise BundleError(f"{name} was changed or damaged", where=self.path, hint=_AGAIN)


_AGAIN = "Copy or download the model folder again"


def read_bundle(path: str | Path, *, weights: bool = True) -> Bundle:
    """Opens a model folder and checks it: version, files and their sizes, layers and heads.

    Args:
        path: The folder.
        weights: Whether ``model.safetensors`` and ``tokenizer_config.json``, which recognition does not read, must be there.
            Files that nobody reads, as the log of the training, may be missing either way.

    Raises:
        BundleError: If it is no model folder, incomplete, damaged, of a later version, or holds a pickle.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise BundleError("no such model folder", where=folder)
    if not (folder / INFO).is_file():
        raise BundleError(
            f"no model folder of viner: it has no {INFO}",
            where=folder,
            hint="Train one with: viner train --train FILE --out DIR",
        )
    refuse_pickles(folder)
    info = BundleInfo.read(folder / INFO)
    for name in FILES if weights else NEEDED:
        if not (folder / name).is_file():
            raise BundleError(f"{name} is missing", where=folder, hint=_AGAIN)
    for name, record in info.files.items():
        file = folder / name
        if not file.is_file():
            if name.startswith(GRAPH):  # a large graph keeps its numbers in files beside it
                raise BundleError(f"{name} is missing", where=folder, hint=_AGAIN)
        elif file.stat().st_size != record.size:
            raise BundleError(f"{name} has {file.stat().st_size:,} bytes instead of {record.size:,}", where=folder, hint=_AGAIN)
    _check_config(folder / "config.json", info)
    return Bundle(folder, info)


def find_bundle(name: str | Path, *, weights: bool = True) -> Bundle:
    """Opens a model by any name: a folder, which wins if it exists, or a Hub id ``user/name[@revision]``.

    Args:
        name: The folder or id. A project's folder means the project's active model.
        weights: Whether to fetch, and ask for, the files that recognition does not read.

    Raises:
        BundleError: If there is none of that name, or it is not a whole model folder.
    """
    folder = expanded(name)
    if folder.exists():
        if Project.is_project(folder):
            folder = Project(folder).active_model()
        return read_bundle(folder, weights=weights)
    if not is_hub_id(str(name)):
        raise BundleError("no such model folder", where=name, hint="Give an existing folder, or a Hub id: user/name[@revision]")
    names = FILES if weights else NEEDED
    return read_bundle(download(str(name), (*names, f"{GRAPH}*")), weights=weights)


def rebuilt_graph(info: BundleInfo, engine: str) -> Path:
    """Where a graph lies that was built again from the weights, in viner's cache; whether it is there is another matter."""
    return home() / "graphs" / f"{info.files[WEIGHTS].sha256[:16]}.{engine}.onnx"


def refuse_pickles(folder: Path) -> None:
    """Raises a BundleError that names the first file that could run code when loaded."""
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in PICKLES:
            raise BundleError(
                f"{file.relative_to(folder)} may hold a pickle, which can run code; a model folder never does",
                where=folder,
                hint="Remove the file if you know what it is; viner does not need it",
            )


def _check_config(path: Path, info: BundleInfo) -> None:
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))["id2label"]
        tags = tuple(labels[str(index)] for index in range(len(labels)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"it cannot be read ({error})", where=path, hint=_AGAIN) from error
    if tags != info.heads[0].tags:
        raise BundleError(f"its labels differ from the tags in {INFO}", where=path, hint=_AGAIN)
