"""The page's modules under Node."""

import subprocess
from pathlib import Path

from support.node import need_node

TESTS = Path(__file__).parent / "js"


def test_the_modules_do_what_their_tests_say():
    node = need_node("the page's modules are tested with `node --test`")
    run = subprocess.run([node, "--test", str(TESTS)], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "# fail 0\n" in run.stdout
    assert "# pass 0\n" not in run.stdout
