"""A model on its way to workers: the bytes of what recognition reads of a model folder, and the folder again on the other side.

A worker that sees the same folder, on shared storage or on the same machine, reads that instead.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from viner.bundle import Bundle, BundleInfo, home, rebuilt_graph
from viner.bundle.bundle import INFO
from viner.bundle.graph_files import files_of
from viner.bundle.info import graphs_of
from viner.bundle.place import settle
from viner.errors import BundleError
from viner.scale.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Shipment:
    """A model folder in pieces.

    Args:
        path: The absolute path of the folder where it comes from.
        engine: What is to run, "int8", "fp32" or "cascade"; None takes what the model chose.
        files: Names and bytes.
        graph: The files of the graph that ``engine`` needs and the folder does not hold, empty if it holds it, and
        kind: which one that is, "int8" or "fp32".
        least_score: Entities with a lower score are left out; None leaves that to the model.
    """

    path: str
    engine: str | None
    files: Mapping[str, bytes]
    graph: Mapping[str, bytes] = field(default_factory=dict)
    kind: str = ""
    least_score: float | None = None

    @classmethod
    def of(cls, bundle: Bundle, engine: str | None = None, least_score: float | None = None) -> Shipment:
        """Reads a model folder.

        Raises:
            BundleError: If a file cannot be read. A graph that is not there is left for the recognizer to complain about.
        """
        graph: Mapping[str, bytes] = {}
        kind = ""
        for kind in set(graphs_of(engine or bundle.info.engine)) - set(graphs_of(bundle.info.engine)):  # one at most
            rebuilt = bundle.graph_of(kind)
            graph = {file.name: file.read_bytes() for file in files_of(rebuilt)} if rebuilt.is_file() else {}
        try:
            files = {name: (bundle.path / name).read_bytes() for name in bundle.needed}
        except OSError as error:
            raise BundleError(f"it cannot be read ({error.strerror})", where=error.filename or bundle.path) from error
        return cls(str(bundle.path.resolve()), engine, files, graph, kind, least_score)

    @property
    def size(self) -> int:
        """Bytes altogether."""
        return sum(map(len, (*self.files.values(), *self.graph.values())))

    def arrive(self) -> Path:
        """The model folder on this machine: the original if it can be seen from here, else a copy that workers share.

        Raises:
            ClusterError: If the copy cannot be written.
        """
        original = Path(self.path)
        try:
            folder = original if self._is_at(original) else self._unpacked()
            if self.graph:
                self._keep_graph(rebuilt_graph(BundleInfo.read(folder / INFO), self.kind).parent)
        except OSError as error:
            raise ClusterError(
                f"a worker cannot keep the model ({error.strerror})",
                where=error.filename,
                hint="Set VINER_HOME on the machines of the cluster to a folder with room for it",
            ) from error
        return folder

    def _is_at(self, folder: Path) -> bool:
        """Whether a folder holds the same model. What viner.json says is enough: it names the hash of every file."""
        try:
            same = (folder / INFO).read_bytes() == self.files[INFO]
            return same and all((folder / name).stat().st_size == len(data) for name, data in self.files.items())
        except OSError:
            return False

    def _unpacked(self) -> Path:
        name = hashlib.sha256(self.files[INFO]).hexdigest()[:16]
        target = home() / "shipped" / name
        if self._is_at(target):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
        try:
            for file, data in self.files.items():
                (draft / file).write_bytes(data)
            self._take_place(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return target

    def _keep_graph(self, place: Path) -> None:
        """Keeps the files of the graph where a recognizer looks for it, the graph itself last."""
        for name, content in reversed([*self.graph.items()]):
            target = place / name
            if target.is_file() and target.stat().st_size == len(content):
                continue
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=place, prefix=f".{name}-", delete=False) as draft:
                try:
                    draft.write(content)
                    draft.close()
                    Path(draft.name).replace(target)
                except BaseException:
                    Path(draft.name).unlink(missing_ok=True)
                    raise

    def _take_place(self, draft: Path, target: Path) -> None:
        try:
            draft.rename(target)
        except OSError:
            if not self._is_at(target):  # not another worker's, who was faster, but what is left of a damaged one
                settle(draft, target)
