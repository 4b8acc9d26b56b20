"""The page's modules under Node."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent / "js"


def test_the_modules_do_what_their_tests_say():
    node = shutil.which("node")
    if node is None:
        reason = "no Node.js here: the page's modules are tested with `node --test`"
        if os.environ.get("VINER_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    run = subprocess.run([node, "--test", str(TESTS)], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "# fail 0\n" in run.stdout
    assert "# pass 0\n" not in run.stdout
