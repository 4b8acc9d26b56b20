"""A recognizer without a model, and a way to kill a run at any moment."""

from __future__ import annotations

import os
import re
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from viner.document import Document, Entity
from viner.schema import Schema

_NAME = re.compile(r"\b[A-ZĐ]\w+")
_NUMBER = re.compile(r"\d+")


class Info:
    """What the recognizer says about itself."""

    def __init__(self, version: int = 1) -> None:
        self.version = version

    def to_dict(self) -> dict[str, Any]:
        return {"version": self.version}


class Finder:
    """Finds words in capitals (PERSON) and numbers (AGE). Reads ahead, as a real one does.

    Args:
        version: Another one is another model.
        watch: Called before each answer.
    """

    engine = "int8"
    schema = Schema.of_entities(["PERSON", "AGE"])

    def __init__(self, version: int = 1, watch: Callable[[], None] = lambda: None, ahead: int = 3) -> None:
        self.info = Info(version)
        self.seen = 0
        self._watch = watch
        self._ahead = ahead

    def stream(self, items: Iterable[str | Document], /) -> Iterator[Document]:
        source = iter(items)
        waiting = deque(islice(source, self._ahead))
        while waiting:
            item = waiting.popleft()
            document = item if isinstance(item, Document) else Document(item)
            self.seen += 1
            self._watch()
            yield document.with_(words=document.words, entities=list(_entities(document.text)))
            waiting.extend(islice(source, 1))


def _entities(text: str) -> Iterator[Entity]:
    for pattern, label in ((_NAME, "PERSON"), (_NUMBER, "AGE")):
        for match in pattern.finditer(text):
            yield Entity(*match.span(), label, score=0.5, source="model")


class Killed(BaseException):
    """What a test throws where it has taken a picture of the disk."""


class Killer:
    """Lets a process die at the n-th of its moments, as SIGKILL would: what is on the disk then is all that is left.

    Args:
        folder: What is on the disk.
        moment: Which moment; None never.
    """

    def __init__(self, folder: Path, moment: int | None) -> None:
        self.moments = 0
        self._folder = folder
        self._moment = moment
        self.picture = folder.with_name(folder.name + "-as-it-was")

    def __call__(self) -> None:
        self.moments += 1
        if self.moments == self._moment:
            shutil.copytree(self._folder, self.picture, symlinks=True)
            raise Killed

    def restore(self) -> None:
        """Puts back what was on the disk at the moment, whatever the dying process did to clean up."""
        shutil.rmtree(self._folder)
        self.picture.rename(self._folder)

    def watch_disk(self, monkeypatch: Any) -> None:
        """Makes each step on the disk two moments, one before it and one after it."""

        def watched(function: Callable[..., Any]) -> Callable[..., Any]:
            def step(*arguments: Any, **options: Any) -> Any:
                self()
                result = function(*arguments, **options)
                self()
                return result

            return step

        monkeypatch.setattr(os, "fsync", watched(os.fsync))
        for name in ("replace", "unlink", "touch", "chmod"):
            monkeypatch.setattr(Path, name, watched(getattr(Path, name)))
        monkeypatch.setattr(shutil, "rmtree", watched(shutil.rmtree))
