"""A package that is loaded when somebody first asks it for something, not when it is imported.

Gradio imports pandas for tables and plots, of which viner's pages have none: with pyarrow, which pandas imports where it is
installed, 70 MB of a server's memory and a fifth of the time until its page is there.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType

_LOADING = threading.RLock()


def defer(name: str) -> None:
    """Has a package wait, unless it is there already or cannot be found; whoever imports it later notices nothing.

    ``importlib.util.LazyLoader`` is made for this, but loads a package as soon as a second module imports it (Python 3.11).

    Args:
        name: Its name. It must be a package by itself, not part of another one.
    """
    if name in sys.modules:
        return
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    module.__class__ = _Deferred
    sys.modules[name] = module
    if not any(isinstance(finder, _PartsFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PartsFinder())


class _Deferred(ModuleType):
    """Loads itself with the first attribute that it lacks."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # asked for by those who look at every module
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        _load(self)
        return getattr(self, name)


class _Loading(ModuleType):
    """The same while it loads: what its own parts do not find yet is not there; other threads wait."""

    def __getattr__(self, name: str) -> object:
        with _LOADING:
            if self.__class__ is _Loading:
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
            return getattr(self, name)


def _load(module: ModuleType) -> None:
    """Loads a package that waits; one that failed to load goes on waiting."""
    with _LOADING:
        kind: type[ModuleType] = module.__class__
        if kind is not _Deferred:
            return
        assert module.__spec__ is not None
        assert module.__spec__.loader is not None
        module.__class__ = _Loading
        try:
            module.__spec__.loader.exec_module(module)
        except BaseException:
            module.__class__ = _Deferred
            raise
        module.__class__ = ModuleType


class _PartsFinder(MetaPathFinder):
    """Has the whole of a package that waits come before any of its parts, as Python does elsewhere."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        package = sys.modules.get(fullname.partition(".")[0])
        if package is None or package.__class__ is not _Deferred:
            return None
        _load(package)
        part = sys.modules.get(fullname)
        if part is None:
            return None
        found = ModuleSpec(fullname, _Found(part))
        part.__spec__ = None  # Python would load it once more by its own
        return found


class _Found(Loader):
    """Gives a module that has been loaded meanwhile."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec
