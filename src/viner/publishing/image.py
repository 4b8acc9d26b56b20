"""The files that an image is built from, beside what goes into it: Dockerfile, compose file, requirements, viner's wheel.

The templates lie in ``container/``; ``@{word}`` stands for a word of an image.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from viner.publishing.pins import pinned
from viner.publishing.wheel import pack_wheel
from viner.version import __version__
from viner.workflow.markdown import one_line

FILES = ("Dockerfile", ".dockerignore", "compose.yaml", "README.md", "requirements.txt")
"""What :func:`write_image` writes, beside the wheel."""

_TEMPLATES = Path(__file__).with_name("container")
_WORD = re.compile(r"@\{(\w+)\}")
# PyPI's torch carries gigabytes for NVIDIA's cards, so the build for processors comes first, from its own index. PyPI's number
# stands for it as well.
_TORCH = """\
python -m pip --python /opt/viner/bin/python install --only-binary=:all: --no-deps \\
        --index-url https://download.pytorch.org/whl/cpu {torch} \\
    && """
_HEALTH = (
    "python",
    "-I",
    "-c",
    "import http.client, os, sys; server = http.client.HTTPConnection('127.0.0.1', int(os.environ['VINER_PORT']), timeout=4); "
    "server.request('GET', '/api/v1/ready'); sys.exit(server.getresponse().status != 200)",
)
"""Asks the server itself, past any proxy of the environment: status 0 when it is ready, else 1."""
_COPY = "COPY --chown=10001:10001"
_LONGEST_DESCRIPTION = 300


@dataclass(frozen=True, slots=True)
class Image:
    """What images differ in.

    Args:
        kind: Whose templates it takes.
        name: Its name, of small letters, digits and hyphens.
        purpose: What it is, in a few words.
        description: What it is, for its label; any text.
        command: What viner is told to do.
        content: What of the things beside the Dockerfile goes into it, and where to.
        extras: The extras of viner that it has.
        memory: What it may take, in MB.
        words: Further words of the templates.
    """

    kind: Literal["recognizer", "workbench"]
    name: str
    purpose: str
    description: str
    command: tuple[str, ...]
    content: Mapping[str, str]
    extras: tuple[str, ...]
    memory: int
    words: Mapping[str, str] = field(default_factory=dict)


def write_image(image: Image, folder: Path) -> None:
    """Writes the files that an image is built from, all but its content.

    Packages are pinned to what is installed here, and the image has the Python that runs here, so what was tested together
    stays together.

    Raises:
        MissingExtraError: If one of its extras is not installed here.
        PublishError: If viner's own installation is incomplete.
        OSError: If it cannot be written.
    """
    training = "train" in image.extras
    requirements = pinned(image.extras, training=training, beside=())
    wheel = pack_wheel(folder, base=training)
    words = {
        "name": image.name,
        "purpose": image.purpose,
        "version": __version__,
        "image": f"viner-{image.name}:{__version__}",
        "python": "{}.{}".format(*sys.version_info),
        "wheel": wheel.name,
        "torch": "".join(_TORCH.format(torch=line) for line in requirements if line.startswith("torch==")),
        "content": "\n".join(f"{_COPY} {name} {place}" for name, place in image.content.items()),
        "description": _quoted(image.description),
        "command": json.dumps(image.command),
        "health": json.dumps(_HEALTH),
        "test": json.dumps(["CMD", *_HEALTH]),
        "memory": str(image.memory),
        **image.words,
    }
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
    templates = ("Dockerfile", "dockerignore", f"{image.kind}.yaml", f"{image.kind}.md")
    for template, name in zip(templates, FILES, strict=False):
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        (folder / name).write_text(_WORD.sub(lambda word: words[word[1]], text), encoding="utf-8", newline="\n")


def _quoted(text: str) -> str:
    """Any text within the double quotes of a Dockerfile, on one line."""
    return re.sub(r'(["\\$])', r"\\\1", one_line(text)[:_LONGEST_DESCRIPTION])
