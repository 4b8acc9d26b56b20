"""The page's modules under Node."""

import subprocess
from pathlib import Path

import viner.annotator
from support.node import need_node
from viner.studio.notes import SENTENCES

TESTS = Path(__file__).parent / "js"


def test_the_modules_do_what_their_tests_say():
    node = need_node("the page's modules are tested with `node --test`")
    run = subprocess.run([node, "--test", str(TESTS)], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "# fail 0\n" in run.stdout
    assert "# pass 0\n" not in run.stdout


def test_what_becomes_of_a_model_has_a_sentence_on_the_page():
    messages = (Path(viner.annotator.__file__).parent / "static" / "messages.js").read_text(encoding="utf-8")
    codes = [code for code in SENTENCES if code.startswith("model_")]
    assert codes
    assert [code for code in codes if f"  outcome_{code}: [" not in messages] == []
