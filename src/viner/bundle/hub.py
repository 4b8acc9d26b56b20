"""Model folders from the Hugging Face Hub: ``user/name[@revision]`` to a local folder, or an error that says why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from viner.errors import BundleError

_ID = re.compile(r"(?P<repository>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?")


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
    from huggingface_hub import errors, snapshot_download

    match = _ID.fullmatch(name)
    if match is None:
        raise BundleError("neither a folder nor a Hub id", where=name, hint="Give an existing folder, or user/name[@revision]")
    try:
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
    except (
        errors.LocalEntryNotFoundError,
        errors.RevisionResolutionError,
        errors.CachedRepoTreeNotFoundError,
        OSError,
    ) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise BundleError(
            f"no folder of that name, and the Hub cannot be reached ({reason})",
            where=name,
            hint="Check the network and free disk space, or give a folder; what was downloaded before is found offline, too",
        ) from error
    return Path(folder)
