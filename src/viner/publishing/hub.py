"""A model repository of the Hugging Face Hub: what viner and plain Transformers load, with a card that says what it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from viner.bundle import Bundle, download
from viner.bundle.bundle import CARD
from viner.errors import InputError, UsageError
from viner.paths import expanded
from viner.publishing.model import check_title, copy_model, find_model
from viner.publishing.repository import check_upload, publish_repository
from viner.publishing.upload import check_repo
from viner.workflow.card import edited_card, model_card, with_card
from viner.workflow.front_matter import LANGUAGE, CardChoices, keep_choices, model_license

KIND = "hub"
"""What the marker of the folder names."""


@dataclass(frozen=True, slots=True)
class Published:
    """A model that was published.

    Args:
        folder: Where it lies; None where it was only uploaded.
        url: Where people find it; None where it was not uploaded.
        files: Size of each of its files, in bytes.
        kept_card: Whether its card is one that somebody edited.
        license: The license that its card names; None where it names none, or was edited.
    """

    folder: Path | None
    url: str | None
    files: dict[str, int]
    kept_card: bool
    license: str | None


def publish_model(
    model: str | Path,
    choices: CardChoices,
    *,
    out: Path | None = None,
    upload: bool = False,
    private: bool = True,
    force: bool = False,
    tag: str | None = None,
) -> Published:
    """Makes a model repository, as a folder, on the Hub, or both.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id.
        choices: What the card says; ``repo`` is needed.
        out: The folder to write; None writes one named like the repository, or none at all where it is uploaded.
        upload: Whether to upload it.
        private: Whether only its owner sees it on the Hub.
        force: Replace a folder that viner published, and what a repository holds.
        tag: A tag for the uploaded state, such as "v1".

    Raises:
        VinerError: If there is no such model, the folder may not be replaced, or it cannot be uploaded. What was there before
            is there still.
    """
    repo = choices.repo or ""
    check_repo(repo)
    _check_choices(choices)
    check_upload(upload=upload, private=private, tag=tag)
    bundle = find_model(model, weights=True)
    if not expanded(model).exists():
        download(str(model), (CARD,))  # recognition does without, so it is not there yet
        bundle = with_card(bundle)
    done = publish_repository(
        repo,
        lambda folder: write_repository(bundle, folder, choices),
        kind="model",
        marker=KIND,
        out=out,
        upload=upload,
        private=private,
        force=force,
        tag=tag,
    )
    kept = done.told
    return Published(done.folder, done.url, done.files, kept, None if kept else model_license(bundle.info, choices))


def write_repository(bundle: Bundle, folder: Path, choices: CardChoices) -> bool:
    """Writes what the repository of a model holds into a folder.

    Returns:
        Whether the card is one that somebody edited, and was kept.

    Raises:
        UsageError: If the card was edited, so that what a person says beside cannot go into it.
        InputError: If the edited card has front matter that cannot be read.
        OSError: If it cannot be written.
    """
    edited = edited_card(bundle.path) is not None
    if edited:
        _check_edited(bundle.path / CARD, choices)
    kept = replace(bundle, info=keep_choices(bundle.info, choices))
    copied = copy_model(kept, folder, weights=True)
    if not edited:
        (folder / CARD).write_text(model_card(copied.info, choices), encoding="utf-8")
    return edited


def _check_choices(choices: CardChoices) -> None:
    """Refuses what the Hub would refuse after everything was uploaded."""
    check_title(choices.title)
    for code in choices.languages:
        if not LANGUAGE.fullmatch(code):
            raise UsageError(f"{code!r} is no code of a language", hint="Give ISO 639, such as vi or en")
    for dataset in choices.datasets:
        check_repo(dataset)


def _check_edited(card: Path, choices: CardChoices) -> None:
    from huggingface_hub import metadata_load

    if choices != CardChoices(repo=choices.repo):
        raise UsageError(
            "the card was edited, so it is kept, and nothing is added to it",
            where=card,
            hint="Write title, license, languages and data sets into the card, or remove it to have a new one written",
        )
    try:
        metadata_load(card)
    except Exception as error:  # YAML of any kind: PyYAML's errors have no common type that huggingface_hub names
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"its front matter cannot be read ({first[0]})", where=card, hint="Mend the lines between the first two ---"
        ) from error
