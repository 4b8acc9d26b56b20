"""Systems of other people that some tests need: they skip where one is missing, and fail if VINER_REQUIRE_SYSTEMS is set."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import Any

import pytest


def needs_system(*modules: str) -> Callable[[Any], Any]:
    """Marks tests that need these modules, of the extra `systems`."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    required = os.environ.get("VINER_REQUIRE_SYSTEMS", "") not in ("", "0")
    reason = f"{', '.join(missing)} not installed: pip install 'viner[systems]'"
    return pytest.mark.skipif(bool(missing) and not required, reason=reason)
