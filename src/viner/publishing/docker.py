"""A folder that a container image is built from: the recognizer of a model, or the workbench of a project for a team.

Nothing secret goes into it: of a project what :func:`viner.publishing.workbench.write_project` takes, so no texts, no accounts,
no address of a database; and no password, which the operator writes beside it.
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from viner.errors import UsageError
from viner.formats.files import real_path
from viner.paths import expanded
from viner.project import Project
from viner.publishing.folder import file_sizes, new_folder
from viner.publishing.image import Image, write_image
from viner.publishing.model import copy_model, find_model, labels, license_lines, model_name, needed_extras, size, title
from viner.publishing.workbench import PROJECT, suggesting_model, write_project
from viner.rules import RecognitionRules, rules_toml
from viner.workflow.markdown import escape

KIND = "docker"
"""What the marker of the folder names."""
SECRETS = ".env"
"""The operator's file beside ``compose.yaml``: never written here, and kept when the folder is published anew."""

_MODEL = "model"
_RULES = "rules.toml"
_LONGEST_NAME = 40
_RECOGNIZER_MB = 1024
"""For the server and its page, requests, and what is uploaded to /tmp; the model comes on top, three times its size."""
_RULES_GROW = 60
"""So many bytes of memory a byte of rules may take once it is read: terms become a tree of words."""
_WORKBENCH_MB = 2048
_TRAINING_MB = 6144


@dataclass(frozen=True, slots=True)
class Published:
    """A folder that an image is built from.

    Args:
        folder: Where it is.
        name: Name of the image and of the services.
        files: Size of each of its files, in bytes.
    """

    folder: Path
    name: str
    files: dict[str, int]


def publish_recognizer(
    model: str | Path, *, rules: RecognitionRules | None = None, out: Path | None = None, force: bool = False
) -> Published:
    """Makes the folder of an image that recognizes.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id.
        rules: Rules that recognize there beside the model, such as :func:`viner.rules.rules_beside` finds; they go into the
            image with all their terms.
        out: The folder to write; None takes one named like the model.
        force: Replace what was published there before; the operator's ``.env`` stays.

    Raises:
        VinerError: If there is no such model, or the folder may not be replaced. What was there before is there still.
    """
    bundle = find_model(model)
    target = expanded(out or f"{_name(model_name(model))}-docker")
    written = "" if rules is None else rules_toml(rules)
    known = labels(bundle) if rules is None else rules.extend(bundle.info.schema).entity_labels
    image = Image(
        kind="recognizer",
        name=_name(target),
        purpose="A recognizer of named entities",
        description=f"{title(bundle)} ({', '.join(known)}); recognized by viner",
        command=("serve", "/opt/model", *(("--rules", f"/opt/{_RULES}") if written else ())),
        content={_MODEL: "/opt/model", **({_RULES: f"/opt/{_RULES}"} if written else {})},
        extras=("app", *needed_extras(bundle)),
        memory=_RECOGNIZER_MB + _megabytes(3 * size(bundle) + _RULES_GROW * len(written)),
        words={
            "licenses": "\n".join(f"- {escape(line)}" for line in license_lines(bundle)),
            "beside": "" if rules is None else f", and beside it {rules.count} that recognize, too (`{_RULES}`)",
            "again": "" if rules is None else " --rules FILE",
        },
    )
    with _folder(target, force) as folder:
        copy_model(bundle, folder / _MODEL)
        if written:
            (folder / _RULES).write_text(written, encoding="utf-8", newline="\n")
        write_image(image, folder)
    return _published(target, image)


def publish_workbench(
    project: str | Path, *, out: Path | None = None, training: bool = False, force: bool = False
) -> Published:
    """Makes the folder of an image of a project's workbench, with PostgreSQL beside it.

    Args:
        project: The project folder.
        out: The folder to write; None takes one named like the project.
        training: Whether the image can train, for which torch and the bundled encoder come along.
        force: As in :func:`publish_recognizer`.

    Raises:
        VinerError: As :func:`publish_recognizer` does.
    """
    source = Project(expanded(project))
    if not Project.is_project(source.path):
        raise UsageError(
            "a workbench is made of a project, and this is none",
            where=source.path,
            hint="Give a project folder, or leave --workbench out to publish a model alone",
        )
    target = expanded(out or f"{_name(source.path)}-workbench")
    model = suggesting_model(source)
    image = Image(
        kind="workbench",
        name=_name(target),
        purpose="A workbench for a team",
        description=f"{source.settings().name}: annotated and recognized with viner",
        command=("serve", "--project", "/data"),
        content={PROJECT: "/data"},
        extras=("app", "postgres", *(needed_extras(model) if model else ()), *(("train",) if training else ())),
        memory=_TRAINING_MB if training else _WORKBENCH_MB,
        words={"training": _TRAINS if training else _TRAINS_NOT},
    )
    with _folder(target, force) as folder:
        write_project(source, model, folder)
        if model is not None:
            # By name: a newer model that is being copied in beside it does not take over half-way.
            Project(folder / PROJECT).activate(model.path.name)
        write_image(image, folder)
    return _published(target, image)


@contextmanager
def _folder(target: Path, force: bool) -> Iterator[Path]:
    """A new folder as of :func:`new_folder` that keeps the operator's secrets."""
    secrets = target / SECRETS
    with new_folder(target, kind=KIND, force=force, kept=(SECRETS,)) as folder:
        if secrets.is_file():
            shutil.copy2(secrets, folder / SECRETS)
        yield folder


def _published(folder: Path, image: Image) -> Published:
    files = {name: count for name, count in file_sizes(folder).items() if name != SECRETS}
    return Published(folder, image.name, files)


def _name(path: str | Path) -> str:
    """A name for images and volumes, made of the last part of a path: small letters, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", real_path(expanded(path)).name.lower().replace("đ", "d"))
    name = re.sub(r"[^a-z0-9]+", "-", "".join(letter for letter in plain if not unicodedata.combining(letter))).strip("-")
    return name[:_LONGEST_NAME].rstrip("-") or "viner"


def _megabytes(count: int) -> int:
    """Bytes as MB, rounded up to the next 64."""
    return -(-count // 2**26) * 64


_TRAINS = """\
## Training

The image trains, from the page Train and by itself after `retrain_after` documents, at the lowest priority. `mem_limit` in
`compose.yaml` says how much memory it may take; `cpus` beside it, how many processors."""
_TRAINS_NOT = """\
## Training

The image annotates, suggests and recognizes. It has no torch, so it cannot train; `--training` makes one that can. Or train on
another machine, in the folder of the project, and bring the new model back:

    docker compose exec -T workbench viner backup - > ../today.backup
    mv PROJECT/viner.db PROJECT/viner.db.before
    viner restore ../today.backup --project PROJECT
    viner train --project PROJECT
    tar -C PROJECT -c models/002 | docker compose exec -T workbench tar -x
    docker compose exec -T workbench viner models --activate 002"""
