"""What publishing needs beside viner, and what this machine has of it. Without being asked, nothing leaves the machine."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from functools import partial

from viner.bundle import home
from viner.cli.checks import Check, check, free_space
from viner.errors import VinerError
from viner.publishing.npm import registry

SECONDS = 5
"""How long a server may take to answer."""

_PODMAN = {
    "apt-get": "sudo apt-get install podman",
    "dnf": "sudo dnf install podman",
    "zypper": "sudo zypper install podman",
    "pacman": "sudo pacman -S podman",
    "apk": "sudo apk add podman",
    "brew": "brew install podman",
    "winget": "winget install RedHat.Podman",
}
"""The command that installs a container engine, by the package manager that is there."""


def check_outfit(*, network: bool = False) -> list[Check]:
    """Looks at what publishing needs: login, container engine, disk, and the servers it talks to.

    Args:
        network: Ask the servers, too; else nothing leaves this machine.
    """
    looks: dict[str, Callable[[], str]] = {"hub login": _login, "containers": _containers, "disk": _disk}
    if network:
        looks["hub"] = partial(_answers, _hub(), "Check the connection, and HTTPS_PROXY where a proxy is in between")
        looks["npm registry"] = partial(
            _answers, registry(), "Fetch the file elsewhere, and give it to: viner publish static MODEL --runtime FILE.tgz"
        )
    return [check(name, look) for name, look in looks.items()]


def _login() -> str:
    """Where the Hub's own client finds a token. The token itself is never shown, and nobody is asked whether it is valid."""
    from huggingface_hub import constants, get_token

    if get_token() is None:
        raise VinerError("no token, so --push cannot upload", hint="Log in: hf auth login, or set HF_TOKEN")
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if os.environ.get(variable):
            return f"token found in {variable}"
    return f"token found in {constants.HF_TOKEN_PATH}"


def _containers() -> str:
    for engine in ("docker", "podman"):
        if path := shutil.which(engine):
            return f"{engine} ({path})"
    command = next((command for manager, command in _PODMAN.items() if shutil.which(manager)), None)
    raise VinerError(
        "neither docker nor podman, so images cannot be built here",
        hint=f"Install one: {command}" if command else f"Install Docker or Podman for {platform.system()}",
    )


def _disk() -> str:
    folder = home()
    return f"{folder}: {free_space(folder, hint='Free some, or set VINER_HOME to a folder on another disk')}"


def _hub() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _answers(url: str, hint: str) -> str:
    """Whether a server answers at all; what it answers is another matter."""
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=SECONDS):
            pass
    except urllib.error.HTTPError:
        pass
    except (OSError, ValueError) as error:  # a malformed address is a ValueError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise VinerError(f"{url} does not answer ({reason})", hint=hint) from None
    return f"{url} answers"
