"""Uploading a folder to the Hugging Face Hub: the whole of it in one commit, or nothing.

Large files go first, one after the other, to the Hub's storage, where nobody sees them. One commit then makes them and the
small files the content of the repository, and what the repository holds is compared with the folder before it is called done.
Whatever breaks on the way, the same call goes on: storage keeps what it has, and is not sent it again.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from viner.bundle.hub import progress_on_terminals, status_of, unreachable
from viner.errors import UsageError, VinerError
from viner.publishing.folder import PublishError, files_in
from viner.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Kind = Literal["model", "space"]

MAX_FILE = 500_000_000_000
"""Bytes that a file may have on the Hub (https://huggingface.co/docs/hub/storage-limits)."""
_ATTRIBUTES = ".gitattributes"
"""The Hub puts it into every repository that it makes, and into a Space a README.md beside it."""
_TAG = re.compile(r"[\w][\w.+-]*")
_AGAIN = "Run the same command again: it goes on where it stopped"
_LATER = "Run the same command again in some minutes: it goes on where it stopped"
_WRITE_TOKEN = "Make one that may write at https://huggingface.co/settings/tokens, then: hf auth login, or set HF_TOKEN"


class UploadError(PublishError):
    """A folder that did not become a repository of the Hub. The repository shows what it showed before."""

    code = "upload_failed"


def push(
    folder: Path,
    repo: str,
    *,
    kind: Kind,
    private: bool = True,
    force: bool = False,
    tag: str | None = None,
) -> str:
    """Uploads a folder as a repository of the Hub.

    Called again after it failed or was interrupted, it goes on. Where the repository holds just what the folder holds, nothing
    is sent.

    Args:
        folder: What the repository is to hold, all of it.
        repo: ``user/name``.
        kind: The kind of repository.
        private: Whether only its owner sees it. A repository that exists keeps its own setting, and is refused where that
            differs.
        force: Replace what is in a repository that exists and is not empty.
        tag: A tag for the commit, such as "v1". A tag that exists is never moved.

    Returns:
        The URL of the repository.

    Raises:
        UsageError: If the name or the tag is malformed.
        UploadError: If it cannot be uploaded.
    """
    check_repo(repo)
    if tag is not None and not _TAG.fullmatch(tag):
        raise UsageError(f"{tag!r} cannot be a tag", hint="Letters, digits, dots and hyphens, such as v1")
    upload = _Upload(folder, repo, kind)
    upload.check_sizes()
    with progress_on_terminals(), _explained(repo):
        upload.log_in()
        upload.prepare(private=private, force=force, tag=tag)
        upload.send()
        upload.mark(tag)
    return upload.url


def check_repo(repo: str) -> None:
    """Refuses what cannot name a repository of somebody on the Hub.

    Raises:
        UsageError: If it is not ``user/name`` in the Hub's letters.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        if repo.count("/") != 1 or repo.startswith("/"):
            raise HFValidationError
        validate_repo_id(repo)
    except HFValidationError:
        raise UsageError(
            f"{repo!r} names no repository of the Hub",
            hint="Write user/name: letters, digits, hyphens, dots and underscores, no -- and no .., at most 96 characters",
        ) from None


class _Upload:
    """One folder on its way to one repository."""

    def __init__(self, folder: Path, repo: str, kind: Kind) -> None:
        self._folder = folder
        self._repo = repo
        self._kind = kind
        self._files = files_in(folder)
        self._head: str | None = None
        self._remote: dict[str, Any] = {}

    @property
    def url(self) -> str:
        """Where people find the repository."""
        return f"{self._api.endpoint}/{'spaces/' if self._kind == 'space' else ''}{self._repo}"

    def check_sizes(self) -> None:
        """Refuses a file that the Hub would not take."""
        for name, path in self._files.items():
            size = path.stat().st_size
            if size > MAX_FILE:
                raise UploadError(
                    f"{name} has {size / 1e9:,.1f} GB, and the Hub takes files of up to {MAX_FILE / 1e9:,.0f} GB",
                    where=self._folder,
                    hint="Train on a smaller base encoder",
                )

    def log_in(self) -> None:
        """Finds the token and asks whose it is."""
        from huggingface_hub import HfApi, get_token

        token = get_token()
        if token is None:
            raise UploadError("nobody is logged in to the Hub", where=self._repo, hint="Log in: hf auth login, or set HF_TOKEN")
        self._api: HfApi = HfApi(token=token, library_name="viner", library_version=__version__)
        who = self._api.whoami()
        self._user = str(who.get("name"))
        if who.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise UploadError("the token of the Hub is for reading only", where=self._repo, hint=_WRITE_TOKEN)

    def prepare(self, *, private: bool, force: bool, tag: str | None) -> None:
        """Finds the repository or makes it, and makes sure that it may be written to before anything is sent."""
        if not self._look():
            self._create(private)
            if not self._look():
                raise UploadError("the Hub made the repository but does not show it", where=self._repo, hint=_AGAIN)
        if self._private != private:
            state, other = ("private", "Leave --public away") if self._private else ("public", "Add --public")
            raise UploadError(
                f"the repository is {state} already, and publishing does not change that",
                where=self._repo,
                hint=f"{other}, or change it at {self.url}/settings",
            )
        if self._held() and not (force or self._complete() or self._is_new()):
            raise UploadError(
                "there is a repository of that name, and it is not empty",
                where=self._repo,
                hint="Name another one, or replace what is in it with --force",
            )
        tagged = None if tag is None else self._tags().get(tag)
        if tagged is not None and not (tagged == self._head and self._complete()):
            raise UploadError(
                f"the repository has a tag {tag} already, of something else",
                where=self._repo,
                hint="Name another tag: a tag never moves",
            )

    def send(self) -> None:
        """Uploads what is missing, makes it the content of the repository in one commit, and looks whether it is."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        if self._complete():
            return
        additions = [CommitOperationAdd(name, str(path)) for name, path in self._files.items()]
        for addition in sorted(additions, key=lambda item: item.upload_info.size):
            # One by one, so that what arrived stays, whatever happens to the next.
            self._api.preupload_lfs_files(self._repo, [addition], repo_type=self._kind, free_memory=False)
        deletions = [CommitOperationDelete(name, is_folder=False) for name in sorted(self._held() - self._files.keys())]
        try:
            commit = self._api.create_commit(
                self._repo,
                [*additions, *deletions],
                commit_message=f"Publish with viner {__version__}",
                repo_type=self._kind,
                parent_commit=self._head,
            )
        except Exception:
            if not self._arrived():  # else the answer was lost, and the commit made
                raise
            return
        if not (self._look(commit.oid) and self._complete()):
            raise UploadError("the repository does not hold what was sent", where=self._repo, hint=_AGAIN)

    def mark(self, tag: str | None) -> None:
        """Tags the commit, unless it has that tag."""
        if tag is not None and tag not in self._tags():
            self._api.create_tag(self._repo, tag=tag, revision=self._head, repo_type=self._kind)

    def _arrived(self) -> bool:
        """Whether a commit was made although it failed, as far as the Hub answers at all."""
        try:
            return self._look() and self._complete()
        except Exception:
            return False

    def _look(self, commit: str | None = None) -> bool:
        """Reads what the repository holds now, or at a commit; False if there is none."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = self._api.repo_info(self._repo, repo_type=self._kind, revision=commit, files_metadata=True)
        except RepositoryNotFoundError:
            return False
        self._head, self._private = info.sha, bool(info.private)
        self._remote = {item.rfilename: item for item in getattr(info, "siblings", None) or ()}
        return True

    def _create(self, private: bool) -> None:
        from huggingface_hub.errors import HfHubHTTPError

        sdk = "gradio" if self._kind == "space" else None
        try:
            self._api.create_repo(self._repo, private=private, repo_type=self._kind, space_sdk=sdk)
        except HfHubHTTPError as error:
            namespace, _, name = self._repo.partition("/")
            if status_of(error) == 403 and namespace != self._user:
                raise UploadError(
                    f"{self._user} may not make repositories of {namespace}",
                    where=self._repo,
                    hint=f"Name one of your own, {self._user}/{name}, or ask {namespace} to let you write",
                ) from error
            if status_of(error) != 409:  # else somebody made it just now
                raise

    def _is_new(self) -> bool:
        """Whether a Space holds no more than the Hub put into it, as it does after an upload that did not get far."""
        if self._kind != "space" or self._held() != {"README.md"}:
            return False
        return len(self._api.list_repo_commits(self._repo, repo_type=self._kind)) == 1

    def _held(self) -> set[str]:
        """What the repository holds of somebody's, as seen last."""
        return self._remote.keys() - {_ATTRIBUTES}

    def _complete(self) -> bool:
        """Whether the repository holds just what the folder holds, as seen last."""
        return self._held() | (self._files.keys() & {_ATTRIBUTES}) == self._files.keys() and all(
            name in self._remote and _same(path, self._remote[name]) for name, path in self._files.items()
        )

    def _tags(self) -> dict[str, str]:
        """The tags of the repository and their commits."""
        refs = self._api.list_repo_refs(self._repo, repo_type=self._kind)
        return {ref.name: ref.target_commit for ref in refs.tags}


def _same(path: Path, remote: Any) -> bool:
    if path.stat().st_size != remote.size:
        return False
    with path.open("rb") as file:
        if remote.lfs is not None:
            return hashlib.file_digest(file, "sha256").hexdigest() == str(remote.lfs.sha256)
        content = file.read()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == remote.blob_id


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Turns what the Hub's client raises into one sentence and a hint. What it did not foresee passes as it is."""
    try:
        yield
    except VinerError:
        raise
    except Exception as error:
        explained = _explain(error)
        if explained is None:
            raise
        message, hint = explained
        raise UploadError(message, where=repo, hint=hint) from error


def _explain(error: Exception) -> tuple[str, str] | None:
    """What was wrong and what to do, or None for what is nobody's fault but the program's."""
    chain = list(_chain(error))
    for link in chain:
        status = status_of(link)
        if status is not None:
            return _explain_status(status, _said(link))
    for link in chain:
        if type(link).__name__ == "OfflineModeIsEnabled":
            return "HF_HUB_OFFLINE is set, so nothing is uploaded", "Unset it, then run the same command again"
        if isinstance(link, OSError) and link.filename is not None:
            return f"{link.filename} cannot be read ({link.strerror})", _AGAIN
        reason = unreachable(link)
        if reason is not None:
            return f"the Hub cannot be reached ({reason})", f"Check the network. {_AGAIN}"
    if isinstance(error, ValueError | RuntimeError):
        # What the client makes of answers that it did not expect, such as a refusal of one large file among others.
        return f"the Hub's client gives up ({' '.join(str(error).split())[:300]})", _AGAIN
    return None


def _explain_status(status: int, said: str) -> tuple[str, str]:
    quoted = f" ({said})" if said else ""
    if status == 401:
        source = "HF_TOKEN" if os.environ.get("HF_TOKEN") else "the one that hf auth login keeps"
        return "the Hub does not accept the token", f"It is {source}. {_WRITE_TOKEN}"
    if status == 402:
        return f"the Hub asks this account to pay first{quoted}", "See https://huggingface.co/settings/billing"
    if status == 403 and re.search(r"storage|quota", said, re.IGNORECASE):
        return f"the Hub has no room for it in this account{quoted}", "See https://huggingface.co/settings/billing"
    if status in (403, 404):
        return f"the token may not write to this repository{quoted}", _WRITE_TOKEN
    if status in (409, 412):
        return f"somebody else changed the repository at the same time{quoted}", "Look at it, then run the same command again"
    if status == 413:
        return f"a file is larger than the Hub takes{quoted}", "Train on a smaller base encoder"
    if status == 429:
        return f"the Hub asks to wait: too many requests{quoted}", _LATER
    if status >= 500:
        return f"the Hub has trouble of its own, status {status}{quoted}", _LATER
    hint = "Change what it names, then run the same command again" if said else _AGAIN
    return f"the Hub refuses it, status {status}{quoted}", hint


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _said(error: BaseException) -> str:
    """What the Hub said about it, on one line."""
    lines = str(getattr(error, "server_message", None) or "").splitlines()
    return lines[0][:200] if lines else ""
