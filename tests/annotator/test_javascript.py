"""The page's modules under Node."""

import itertools
import json
import subprocess
import unicodedata
from pathlib import Path

import viner.annotator
from support.node import need_node
from viner.annotation.changes.kinds import PAGE_KEYS
from viner.studio.notes import SENTENCES
from viner.text import tone_style

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


def test_the_page_compares_syllables_as_the_server_does():
    node = need_node("the page's spelling is compared with the server's")
    tones = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
    rhymes = ("oa", "oe", "uy", "oai", "OA", "Uy", "uyên", "ua")
    split = {
        onset + rhyme[:place] + tone + rhyme[place:]
        for onset, rhyme, tone in itertools.product(("", "h", "H", "kh", "ngh", "q", "đ", "gi"), rhymes, tones)
        for place in range(1, len(rhyme) + 1)
    }
    syllables = sorted(split | {unicodedata.normalize("NFC", syllable) for syllable in split})
    answer = evaluated(node, "spelled", "spelling.js", f"{json.dumps(syllables)}.map(spelled)")
    assert answer == [tone_style(syllable, "new") for syllable in syllables]


def test_no_type_gets_a_key_that_the_page_keeps_for_itself():
    node = need_node("the keys of the page are compared with those that are refused")
    taken = evaluated(node, "TAKEN", "keys.js", "[...TAKEN]")
    assert sorted(key for key in taken if len(key) == 1 and not key.isspace()) == sorted(PAGE_KEYS)


def evaluated(node, name, module, expression):
    """What an expression is that uses a name of one of the page's modules."""
    place = (Path(viner.annotator.__file__).parent / "static" / module).as_uri()
    script = f"import {{ {name} }} from {json.dumps(place)}; console.log(JSON.stringify({expression}))"
    run = subprocess.run(
        [node, "--input-type=module", "--eval", script], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    return json.loads(run.stdout)
