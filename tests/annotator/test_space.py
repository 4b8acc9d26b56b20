"""The page and the store agree on what white space is, since the store refuses entities that begin or end with it."""

import json
import os
import shutil
import subprocess

import pytest

from viner import annotator

SCRIPT = """
import { Text } from "./offsets.js";
import { Words } from "./words.js";
const cut = [];
for (let point = 0; point < 0x10000; point++) {
  const words = new Words(new Text(`${String.fromCharCode(point)}ab${String.fromCharCode(point)}`), [1, 3]);
  const [start, end] = words.trim(0, 4);
  if (start === 1 && end === 3) cut.push(point);
  else if (start !== 0 || end !== 4) throw new Error(`${point} is cut at one end`);
}
console.log(JSON.stringify(cut));
"""


def test_the_page_cuts_what_python_calls_white_space():
    node = shutil.which("node")
    if node is None:
        if os.environ.get("VINER_REQUIRE_BROWSER") == "1":
            pytest.fail("no Node.js here")
        pytest.skip("no Node.js here: the page's modules are tested with it")
    command = [node, "--input-type=module", "-e", SCRIPT]
    run = subprocess.run(command, cwd=annotator.static_folder(), capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [point for point in range(0x10000) if chr(point).isspace()]
