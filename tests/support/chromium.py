"""The Chromium that tests look at pages with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    # Chromium keeps public sites away from 127.0.0.1 by itself; the server's own defenses are on trial, and a Space is public.
    "--disable-features=LocalNetworkAccessChecks",
]
PATIENCE = 90_000  # milliseconds: the machine may be busy with other tests


def chromium() -> str:
    """Its path; without one the test is skipped, or fails where VINER_REQUIRE_BROWSER=1.

    The headless shell comes first: without windows of its own it loads a page in half of the processor time.
    """
    found = (shutil.which(name) for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))
    path = os.environ.get("VINER_CHROMIUM") or next(filter(None, found), "/usr/bin/chromium")
    if not Path(path).exists():
        reason = f"no Chromium at {path}: install it, or set VINER_CHROMIUM to its path"
        if os.environ.get("VINER_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The browser of a session. Playwright bears one at a time in a process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()
