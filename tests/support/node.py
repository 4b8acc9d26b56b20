"""Node.js, under which the modules of the pages are tested."""

from __future__ import annotations

import os
import shutil

import pytest


def need_node(what: str) -> str:
    """The path of Node.js; without one the test is skipped, or fails where CI requires the browser.

    Args:
        what: What is done under it, for the reason.
    """
    node = shutil.which("node")
    if node is None:
        reason = f"no Node.js here: {what}"
        if os.environ.get("VINER_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return node
