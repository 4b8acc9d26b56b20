"""Model folders from the Hugging Face Hub: ``user/name[@revision]`` to a local folder, or an error that says why not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from viner.errors import BundleError

_ID = re.compile(r"(?P<repository>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?")

_TRANSPORTS = ("httpx", "httpx2", "requests", "hf_xet")
_UNRESOLVED = ("RevisionResolutionError", "CachedRepoTreeNotFoundError")


def is_hub_id(name: str) -> bool:
    """Whether a name has the form of a Hub id. Whether the Hub knows it is another matter."""
    return _ID.fullmatch(name) is not None and not name.startswith((".", "/", "-"))


def download(name: str, patterns: Sequence[str]) -> Path:
    """Fetches a repository's files, or finds them in the Hub's own cache.

    Args:
        name: ``user/name``, or ``user/name@revision`` with a branch, tag or commit.
        patterns: Globs of the files to take; nothing else is fetched.

    Returns:
        A folder of the Hub's cache (``HF_HOME``). It may lack some of the files: the caller knows which it needs.

    Raises:
        BundleError: If the name is malformed or unknown, access is refused, or the Hub cannot be reached.
    """
    from huggingface_hub import constants, errors, snapshot_download

    match = _ID.fullmatch(name)
    if match is None:
        raise BundleError("neither a folder nor a Hub id", where=name, hint="Give an existing folder, or user/name[@revision]")
    try:
        with progress_on_terminals():
            folder = snapshot_download(match["repository"], revision=match["revision"], allow_patterns=list(patterns))
    except errors.GatedRepoError as error:
        raise BundleError(
            "the Hub asks for permission",
            where=name,
            hint=f"Accept its terms at https://huggingface.co/{match['repository']}, then log in: hf auth login",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BundleError(f"the Hub has no revision {match['revision']!r} of it", where=name) from error
    except errors.RepositoryNotFoundError as error:
        raise BundleError(
            "no folder of that name, and the Hub does not know it",
            where=name,
            hint="Check the spelling; a private one needs: hf auth login",
        ) from error
    except errors.HFValidationError as error:
        raise BundleError(f"neither a folder nor a Hub id ({error})", where=name) from error
    except Exception as error:
        if status_of(error) == 401:
            raise BundleError(
                "the Hub does not accept the token", where=name, hint="Log in again: hf auth login, or set HF_TOKEN"
            ) from error
        reason = unreachable(error)
        if reason is None:
            raise
        if constants.HF_HUB_OFFLINE:
            raise BundleError(
                "no folder of that name, and it is not in the Hub's cache, while HF_HUB_OFFLINE forbids to fetch it",
                where=name,
                hint="Fetch it once without HF_HUB_OFFLINE",
            ) from error
        raise BundleError(
            f"no folder of that name, and the Hub cannot be reached ({reason})",
            where=name,
            hint="Check the network and free disk space, or give a folder; what was downloaded before is found offline, too",
        ) from error
    return Path(folder)


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an error of the Hub's client stands for, or None."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status
    # What sends and fetches large files has no fields for it.
    told = re.search(r"HTTP status \w+ error \((\d{3})\b", str(error))
    return int(told[1]) if told else None


def unreachable(error: BaseException) -> str | None:
    """What kept the Hub's client from reaching the Hub, on one line; None if an error is about something else."""
    # Which library it speaks HTTP with depends on its version, and so does which errors it has.
    library = type(error).__module__.partition(".")[0]
    if isinstance(error, OSError) or library in _TRANSPORTS or type(error).__name__ in _UNRESOLVED:
        lines = str(error).strip().splitlines()
        return lines[0][:200] if lines else type(error).__name__
    return None


@contextmanager
def progress_on_terminals() -> Iterator[None]:
    """Keeps the progress bars of the Hub's client off what is no terminal."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if are_progress_bars_disabled() or sys.stderr.isatty():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
