"""The Gradio console. Importing this package does not import Gradio; ``viner.console.app`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viner.console.page import build_console

__all__ = ["build_console"]


def __getattr__(name: str) -> Any:
    if name == "build_console":
        from viner.console.page import build_console

        return build_console
    raise AttributeError(f"module 'viner.console' has no attribute {name!r}")
