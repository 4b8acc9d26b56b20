"""Images without a container engine: the steps of a Dockerfile, executed on root file systems of their own.

Each stage gets the file system of this machine with a layer over it that takes all changes, and with the Python that runs here
where the official images have theirs. The checkout, and the environment that the tests run in, are not there. It takes
``unshare``, ``nsenter`` and overlayfs, so Linux and root.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from support.dockerfile import Step, pairs, read_stages

CHECKOUT = Path(__file__).parents[2]
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
_PASSED_ON = re.compile(r"PIP_.*|.*_proxy|.*_PROXY|SSL_CERT_FILE|REQUESTS_CA_BUNDLE")  # as an engine passes a proxy on
_HOLD = """
set -eu
mount -t tmpfs -o mode=0755 roots "$1"
echo ready
read -r _
"""
_NEW = """
set -eu
place=$1; python=$2; checkout=$3; root=$place/root
mkdir -p "$place/upper" "$place/work" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mkdir -p "$root$checkout"  # it may lie below /tmp
mount -t tmpfs -o mode=0755,ro checkout "$root$checkout"
for name in resolv.conf hosts; do cat "/etc/$name" > "$root/etc/$name"; done
if [ "$python" = /usr ]; then
  ln -sf /usr/bin/python3 "$root/usr/local/bin/python"
else
  mount --bind "$python" "$root/usr/local"
  mount -o remount,bind,ro "$root/usr/local"
fi
mkdir -p "$HOME/.cache/pip" "$root/root/.cache/pip"
mount --bind "$HOME/.cache/pip" "$root/root/.cache/pip"  # packages are fetched once
chroot "$root" ldconfig
"""
_FREEZE = """
set -eu
place=$1; root=$place/root; volume=$2
mkdir "$place/volume"
cp -a "$root$volume/." "$place/volume"
mount --bind "$place/volume" "$root$volume"
mount -o remount,bind,ro "$root"
"""


class Roots:
    """A place for root file systems that only its own mount namespace has. Use it as a context."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._count = 0

    def __enter__(self) -> Roots:
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _HOLD, "sh", str(self.place)]
        self._holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            _, error = self._holder.communicate()
            pytest.skip(f"replaying a Dockerfile takes mounts: {error.strip()}")
        return self

    def __exit__(self, *problem: object) -> None:
        self._holder.communicate()  # its namespace goes, and all mounts with it

    def new(self) -> Root:
        """A fresh root."""
        self._count += 1
        place = self.place / str(self._count)
        made = self.run(["sh", "-c", _NEW, "sh", str(place), sys.base_prefix, str(CHECKOUT)], check=False)
        if made.returncode:
            pytest.skip(f"replaying a Dockerfile takes overlayfs: {made.stderr.strip()}")
        return Root(self, place)

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command that runs another one where the roots are."""
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--wd=/", "--", *command]

    def run(self, command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command as root where the roots are, outside of them."""
        done = subprocess.run(self.inside(command), capture_output=True, text=True, timeout=600, check=False)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done


def need_roots() -> None:
    """Skips the test, and says why, where roots cannot be made."""
    tools = ("unshare", "nsenter", "setpriv", "chroot", "ldconfig")
    if sys.platform != "linux" or os.geteuid() != 0 or not all(map(shutil.which, tools)):
        pytest.skip(f"replaying a Dockerfile takes Linux, root, and {', '.join(tools)}")


@dataclass
class Root:
    """A root file system."""

    roots: Roots
    place: Path

    @property
    def path(self) -> Path:
        """Where it is, within the namespace of its roots."""
        return self.place / "root"

    def copy(self, sources: Sequence[Path], target: str, owner: str | None) -> None:
        """What COPY does: files into a folder or under a name, of folders the content."""
        place = f"{self.path}{target}"
        for source in sources:
            if source.is_dir() or (source.is_relative_to(self.roots.place) and self._is_dir(source)):
                self.roots.run(["mkdir", "-p", place])
                self.roots.run(["cp", "-a", f"{source}/.", place])
            else:
                self.roots.run(["cp", "-a", str(source), place])
            if owner is not None:
                self.roots.run(["chown", "-R", owner, place])

    def _is_dir(self, path: Path) -> bool:
        return self.roots.run(["test", "-d", str(path)], check=False).returncode == 0

    def command(
        self, words: Sequence[str], environ: Mapping[str, str], user: str = "0:0", folder: str = "/", *, first: bool = False
    ) -> list[str]:
        """The command that runs words on this root.

        Args:
            words: What to run.
            environ: All of its environment.
            user: Numbers of user and group; others than root have no capability, and get none.
            folder: Where it runs.
            first: Whether it is the first process of a namespace, as in a container.
        """
        uid, gid = user.split(":")
        rights = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        if uid != "0":
            rights += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        variables = [f"{name}={value}" for name, value in environ.items()]
        there = ["sh", "-c", 'cd "$0" && exec "$@"', folder]
        namespace = ["unshare", "--pid", "--fork"] if first else []
        return self.roots.inside([*namespace, "chroot", str(self.path), *rights, "env", "-i", *variables, *there, *words])


@dataclass
class Built:
    """An image: the root of the last stage, and what its Dockerfile says about running it."""

    root: Root
    environ: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    folder: str = "/"
    volume: str = ""
    entry: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def freeze(self) -> None:
        """From here on all but /tmp and the volume is read-only; the volume begins with what the image has there."""
        self.root.roots.run(["sh", "-c", _FREEZE, "sh", str(self.root.place), self.volume])

    def run(
        self, *words: str, data: bytes = b"", variables: Mapping[str, str] | None = None, text: bool = True
    ) -> subprocess.CompletedProcess:
        """What ``docker exec`` does; the output is text, or bytes."""
        command = self.root.command(words, {**self.environ, **(variables or {})}, self.user, self.folder)
        done = subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)
        if text:
            done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    @contextmanager
    def started(self, variables: Mapping[str, str]) -> Iterator[Container]:
        """What ``docker run`` does; at the end it is stopped, if it still runs."""
        environ = {**self.environ, **variables}
        command = self.root.command([*self.entry, *self.words], environ, self.user, self.folder, first=True)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        container = Container(self, process, dict(variables))
        try:
            yield container
        finally:
            if process.poll() is None:
                container.first().kill()  # and with it all of its namespace
            process.communicate()


@dataclass
class Container:
    """A running image."""

    image: Built
    process: subprocess.Popen[str]
    variables: dict[str, str]

    def healthy(self) -> int:
        """The exit status of the health check."""
        return self.image.run(*self.image.health, variables=self.variables).returncode

    def wait(self, seconds: float = 60) -> float:
        """Waits until it is healthy; how long that took, in seconds."""
        start = time.monotonic()
        while self.healthy() != 0:
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() - start < seconds, "not healthy"
            time.sleep(0.3)
        return time.monotonic() - start

    def first(self) -> psutil.Process:
        """Its first process."""
        return psutil.Process(self.process.pid).children()[0]

    def stop(self) -> tuple[int, str]:
        """What ``docker stop`` does: exit status and output. It must not take more than ten seconds."""
        self.first().terminate()
        output, _ = self.process.communicate(timeout=10)
        return self.process.returncode, output


def build(roots: Roots, folder: Path) -> Built:
    """Builds the image of a folder, as ``docker build`` does, step by step."""
    passed_on = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    context = {path.name for path in folder.iterdir() if _sent(path.name, folder / ".dockerignore")}
    stages: dict[str | None, Root] = {}
    for stage in read_stages((folder / "Dockerfile").read_text(encoding="utf-8")):
        root = stages[stage.name] = roots.new()
        image = Built(root, {"PATH": _PATH})
        for step in stage.steps:
            if step.name == "RUN":
                # The cache of packages is there, whatever the image says.
                environ = {**image.environ, **passed_on, "HOME": "/root", "PIP_NO_CACHE_DIR": "0"}
                command = root.command(["sh", "-c", step.value], environ, image.user, image.folder)
                done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
                assert done.returncode == 0, f"RUN {step.value}\n{done.stdout}\n{done.stderr}"
            elif step.name == "COPY":
                *names, target = step.value.split()
                assert "from" in step.flags or set(names) <= context, f"not sent to the builder: {names}"
                source = Path(f"{stages[step.flags['from']].path}") if "from" in step.flags else folder
                root.copy([source / name.lstrip("/") for name in names], target, step.flags.get("chown"))
            else:
                _note(image, step)
    return image


def _note(image: Built, step: Step) -> None:
    match step.name:
        case "ENV":
            image.environ |= pairs(step.value, image.environ)
        case "LABEL":
            image.labels |= pairs(step.value)
        case "USER":
            image.user = step.value
        case "WORKDIR":
            image.folder = step.value
        case "VOLUME":
            (image.volume,) = step.words()
        case "ENTRYPOINT":
            image.entry = step.words()
        case "CMD":
            image.words = step.words()
        case "HEALTHCHECK":
            image.health = Step("CMD", step.value.removeprefix("CMD ")).words()
        case "EXPOSE":
            pass
        case _:
            raise AssertionError(f"unknown instruction {step.name}")


def _sent(name: str, ignored: Path) -> bool:
    """Whether a name of the folder is sent to the builder."""
    sent = True
    for line in ignored.read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#") and fnmatch.fnmatch(name, pattern.removeprefix("!")):
            sent = pattern.startswith("!")
    return sent
