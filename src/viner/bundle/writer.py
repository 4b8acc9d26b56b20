"""Writing a model folder: beside its place first, then renamed, so that it is there as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from viner.bundle.bundle import CARD, INFO, Bundle, read_bundle
from viner.bundle.info import BundleInfo, FileRecord
from viner.bundle.place import draft_beside, settle
from viner.errors import BundleError


class BundleWriter:
    """Collects the files of a model folder.

    ::

        with BundleWriter("models/003") as writer:
            model.save_pretrained(writer.folder)
            ...
            bundle = writer.finish(info)

    Leaving the block without :meth:`finish`, by an error or Ctrl-C, removes everything that was written.

    Args:
        target: The model folder to be.
        overwrite: Replace a model folder that is there. A folder that holds anything else is never replaced.

    Raises:
        BundleError: On entering, if the target exists and may not be replaced, or the place cannot be written to.
    """

    def __init__(self, target: str | Path, *, overwrite: bool = False) -> None:
        self.target = Path(target)
        self._overwrite = overwrite
        self._place = ExitStack()
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """Where to put the files."""
        if self._folder is None:
            raise RuntimeError("a BundleWriter is used in a with statement")
        return self._folder

    def __enter__(self) -> BundleWriter:
        self._check_target()
        try:
            self._folder = self._place.enter_context(draft_beside(self.target))
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._place.close()
        if error is not None and (isinstance(error, OSError) or _is_safetensors(error)):
            raise self._unwritable(error) from error

    def finish(self, info: BundleInfo) -> Bundle:
        """Writes ``viner.json``, checks the folder as a reader would, and moves it to its place.

        Args:
            info: What the folder says about itself; ``files`` and ``viner`` are filled in here.

        Raises:
            BundleError: If the folder is incomplete or cannot be written.
        """
        from viner.version import __version__

        try:
            # People edit the card, so it has no hash.
            names = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
            info = replace(
                info, viner=__version__, files={name: _record(self.folder / name) for name in names if name not in (CARD, INFO)}
            )
            content = json.dumps(info.to_dict(), ensure_ascii=False, indent=1) + "\n"
            (self.folder / INFO).write_text(content, encoding="utf-8")
            read_bundle(self.folder)
            self._check_target()  # another training may have been faster
            settle(self.folder, self.target)
        except OSError as error:
            raise self._unwritable(error) from error
        return Bundle(self.target, info)

    def _check_target(self) -> None:
        if not self.target.exists() or (self.target.is_dir() and not any(self.target.iterdir())):
            return
        if not (self.target / INFO).is_file():
            raise BundleError("it exists and is no model folder", where=self.target, hint="Name a new folder")
        if not self._overwrite:
            raise BundleError("there is a model already", where=self.target, hint="Name a new folder, or allow overwriting")

    def _unwritable(self, error: BaseException) -> BundleError:
        return BundleError(
            f"the model cannot be written ({getattr(error, 'strerror', None) or error})",
            where=self.target,
            hint="Free some space or name another folder; nothing was left behind",
        )


def _is_safetensors(error: BaseException) -> bool:
    """Whether safetensors raised it. Its error is a plain Exception, even for a full disk, and recognition does without it."""
    kind = type(error)
    return kind.__name__ == "SafetensorError" and kind.__module__.startswith("safetensors")


def _record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        return FileRecord(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
