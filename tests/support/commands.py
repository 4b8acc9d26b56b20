"""Commands and programs of the documents, run as they stand there.

What a page shows is run in a folder of its own, block by block, from top to bottom:

- ``sh``: every line is a command. It runs as it stands, but trainings get one epoch (and a small base, if asked for), and
  servers a port of their own; they are asked whether they answer, and stopped.
- ``python``: a program. Where "prints" and a ``text`` block follow, that is what it prints.
- ``text``, ``toml``, ``json``: a file, where the sentence before says so: "as `notes.txt`:", "add to `covid/viner.toml`:".
- everything else (``console``, ``yaml``, …) is shown, not run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>[^\n`]*)\n(?P<content>.*?)^(?P=fence)\n", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?P<how>\bas|\b[Aa]dd to) `(?P<name>[\w./-]+)`[^`\n]*:\s*\Z")


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page.

    Args:
        language: What stands behind the fence, such as "sh".
        content: What is in it.
        before: The paragraph before it.
    """

    language: str
    content: str
    before: str

    def write_file(self) -> None:
        """Writes the file that the sentence before names, if it names one, or adds to it."""
        match = _FILE.search(self.before)
        if match is None:
            return
        file = Path(match["name"])
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w" if match["how"] == "as" else "a", encoding="utf-8") as stream:
            stream.write(self.content)


def pages() -> list[Path]:
    """All pages that people read: README, ARCHITECTURE and what is below docs/."""
    return [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    """The page's path within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        yield Block(match["language"].strip(), match["content"], text[: match.start()].rstrip().rpartition("\n\n")[2])


_COMMAND = re.compile(r"\s*[$#]?\s*(?:[A-Z_]+=\S+ )*(?:\S*/)?viner (.*)")


def command_lines(content: str) -> Iterator[list[str]]:
    """The words of each viner command in a shell block; continued lines are joined, pipes, redirections and comments cut."""
    for line in content.replace("\\\n", " ").splitlines():
        for part in re.split(r" (?:\||&&|;) ", line):
            if match := _COMMAND.match(part):
                yield shlex.split(re.sub(r"\s[<>]+\s*\S+", "", match[1]), comments=True)


def verbs(group: click.Group | None = None, path: tuple[str, ...] = ()) -> dict[str, click.Command]:
    """Every command of viner by its words, groups included."""
    from viner.cli.main import cli

    group = group or cli
    found: dict[str, click.Command] = {}
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None, name
        found[" ".join((*path, name))] = command
        if isinstance(command, click.Group):
            found |= verbs(command, (*path, name))
    return found


def run_page(page: Path, *, base: Path | None = None, replace: Mapping[str, str] | None = None, programs: bool = True) -> None:
    """Runs a page in the current folder.

    Args:
        page: The page.
        base: The encoder that trainings start from; None takes what the command says.
        replace: What stands in the page for something of the reader's own, and what it is here.
        programs: Run what is in Python, too.
    """
    printed: str | None = None
    for block in blocks(page):
        for theirs, ours in (replace or {}).items():
            block = dataclasses.replace(block, content=block.content.replace(theirs, ours))
        if block.language == "sh":
            for line in block.content.replace("\\\n", " ").splitlines():
                run_as_it_stands(line, base=base)
        elif block.language == "python" and programs:
            printed = _run_program(block.content, page)
        elif block.language == "text" and printed is not None and re.search(r"prints:?$", block.before):
            assert printed.split() == block.content.split(), f"{page}: prints\n{printed}"
        elif block.language in ("text", "toml", "json"):
            block.write_file()


def _run_program(program: str, page: Path) -> str:
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        exec(compile(program, str(page), "exec"), {})
    return stdout.getvalue()


def run_as_it_stands(line: str, *, base: Path | None = None) -> None:
    """Runs one command in the current folder, of viner or ``python FILE`` that serves; it must end well."""
    command = shlex.split(line, comments=True)
    if not command:
        return
    program = command.pop(0)
    if program == "python":
        serve_and_ask([sys.executable, *command])
        return
    assert program == "viner", line
    if command[0] in ("serve", "demo"):
        serve_and_ask([sys.executable, "-m", "viner", *command])
        return
    if command[0] == "search":
        command = ["epochs=1" if word.startswith("epochs=") else word for word in command]
        command += [] if "--space" in command else ["--space", "dropout=0,0.1", "--space", "epochs=1"]
        command += ["--trials", "2", *(["--base", str(base)] if base else [])]
    if command[0] in ("train", "doubts", "curve"):
        command += ["--epochs", "1"]  # the commands are under test here, not the figures
        command += ["--base", str(base)] if base and "--distill-from" not in command else []
    typed = ""
    if command[:2] in (["accounts", "add"], ["accounts", "password"]):
        command += ["--password-stdin"]
        typed = "a password for tests\n"
    status, said = _run(command, typed)
    # lint tells by its status that it found something
    assert status in ((0, 1) if command[0] == "lint" else (0,)), f"{line}\n{said}"


def _run(command: Sequence[str], typed: str) -> tuple[int, str]:
    """Exit status of a command in this process, where what is heavy has been imported already, and all that it said."""
    from viner.cli.main import main

    said = io.StringIO()
    stdin, sys.stdin = sys.stdin, io.StringIO(typed)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return main(command), said.getvalue()
    finally:
        sys.stdin = stdin


def serve_and_ask(arguments: Sequence[str]) -> None:
    """Starts a server, asks whether it lives, and stops it as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"VINER_PORT": str(port), "VINER_NO_BROWSER": "1"}
    process = subprocess.Popen(arguments, env=environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=5) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "no page after 60 s"
                time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def write_a_small_corpus(folder: Path) -> None:
    """A few documents of the bundled corpus as train, dev and test.conll, and two notes."""
    from itertools import islice

    from viner.formats import write
    from viner.samples import corpus

    for split, count in (("train", 48), ("dev", 8), ("test", 8)):
        write(islice(corpus().documents(split), count), folder / f"{split}.conll")
    (folder / "notes.txt").write_text("Bệnh nhân 91 là phi công người Anh.\nPatient 17 flew to Da Nang.\n", encoding="utf-8")
