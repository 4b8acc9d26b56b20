"""Gradio's blocks as viner serves them: no file goes in but one that was uploaded here, and the queue has an end.

Gradio copies every file that an input names into the folder that it serves from, and fetches every address. It asks whether the
file was uploaded, but of apps that ``launch()`` started only, which one that is mounted was not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from viner.errors import outline

_log = logging.getLogger("viner.console")

MOST_WAITING = 64
"""Events that may wait for their turn, each with all that its inputs hold. More are refused."""


class ConsoleBlocks(gr.Blocks):
    """Blocks that take what a visitor uploaded, and nothing else that lies on the machine or elsewhere."""

    def close_doors(self) -> None:
        """Bounds the queue, which nobody passes by, and has Gradio ask what it asks of launched apps. Called at the end."""
        self.queue(max_size=MOST_WAITING, api_open=False)
        self.has_launched = True

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **options: Any) -> Any:
        """Looks through the inputs of an event before Gradio does."""
        folder = Path(get_upload_folder()).resolve()
        for file in _files(inputs):
            if not _is_below(file, folder):
                raise gr.Error("a file is named that was not uploaded here", print_exception=False)
        try:
            return await super().preprocess_data(block_fn, inputs, *args, **options)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:  # of Gradio or a component; its message holds all the inputs, which no log should have
            _log.error("an event could not be read: %s", outline(error))
            raise gr.Error("the inputs are not those of this event", print_exception=False) from None


def _files(value: Any) -> Iterator[str]:
    """Paths and addresses of all files that are named somewhere in a value."""
    if isinstance(value, dict):
        path = value.get("path")
        if "meta" in value and isinstance(path, str):
            yield path
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for item in value:
        yield from _files(item)


def _is_below(file: str, folder: Path) -> bool:
    try:
        return Path(file).is_absolute() and folder in Path(file).resolve().parents
    except (OSError, ValueError):  # a null character
        return False
