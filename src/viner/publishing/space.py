"""A Gradio Space of the Hugging Face Hub: a folder in which ``python app.py`` is the whole app.

Spaces are built with ``requirements.txt`` alone, before any other file is there, so it cannot name viner's wheel. The wheel
lies in the folder, and ``app.py`` unpacks it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from viner.bundle import Bundle, BundleInfo, download
from viner.bundle.bundle import INFO
from viner.bundle.info import GRAPH
from viner.errors import InputError, MissingExtraError
from viner.project import Project
from viner.publishing.examples import bundled_examples, own_examples
from viner.publishing.folder import PublishError, file_sizes
from viner.publishing.model import (
    check_title,
    copy_model,
    find_model,
    languages,
    license_lines,
    needed_extras,
    published_files,
    size,
    title,
)
from viner.publishing.pins import pinned
from viner.publishing.repository import check_upload, publish_repository
from viner.publishing.upload import check_repo
from viner.publishing.wheel import pack_wheel
from viner.publishing.workbench import PROJECT, suggesting_model, write_project
from viner.rules import RecognitionRules, RuledRecognizer, rules_toml
from viner.runtime import Recognizer
from viner.samples.examples import write_examples
from viner.version import __version__
from viner.workflow.front_matter import CardChoices, license_fields, model_license
from viner.workflow.markdown import escape, one_line

KIND = "space"
"""What the marker of the folder names."""
LIMIT = 1_000_000_000
"""Bytes that the repository of a Space may have without paying (https://huggingface.co/docs/hub/storage-limits)."""
FEEDBACK = "/data/feedback"
"""Where flagged answers are kept: on the persistent storage of a Space, which is mounted at ``/data``."""
_MODEL = "model"
_RULES = "rules.toml"
_EXAMPLES = "examples.json"
_REST = 20_000_000  # for all that is not the model
_LONGEST_HOST = 63
_ANSWERING = ("schema", "heads", "views", "segmenter", "windows", "calibration", "least_estimate", "engine")
"""What of ``viner.json`` answers depend on, beside the files."""


@dataclass(frozen=True, slots=True)
class SpaceChoices:
    """What a person says about a Space.

    Args:
        repo: Its id on the Hub, ``user/name``.
        title: A title; None takes that of the model.
        license: A license; None takes that of the model, where it has one.
        model_repo: Where the same model lies on the Hub, ``user/name[@revision]``: the Space fetches it from there. None puts
            the model into the Space.
        examples: A file whose first documents can be tried on the page; None takes bundled texts that the model knows something
            in.
        feedback: Whether visitors may flag wrong answers, which are kept on the Space's persistent storage.
    """

    repo: str
    title: str | None = None
    license: str | None = None
    model_repo: str | None = None
    examples: Path | None = None
    feedback: bool = False


@dataclass(frozen=True, slots=True)
class PublishedSpace:
    """A Space that was published.

    Args:
        folder: Where it lies; None where it was only uploaded.
        url: Its repository on the Hub; None where it was not uploaded.
        app: Where the app will be.
        files: Size of each of its files, in bytes.
        model: The model that it fetches, as ``user/name@commit``; None where the model is inside.
        examples: How many texts can be tried on the page.
    """

    folder: Path | None
    url: str | None
    app: str
    files: dict[str, int]
    model: str | None
    examples: int


def publish_space(
    model: str | Path,
    choices: SpaceChoices,
    *,
    rules: RecognitionRules | None = None,
    out: Path | None = None,
    upload: bool = False,
    private: bool = True,
    force: bool = False,
) -> PublishedSpace:
    """Makes a Space, as a folder, on the Hub, or both.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id.
        choices: What a person says about it.
        rules: Rules that recognize there beside the model, such as :func:`viner.rules.rules_beside` finds; they lie in the
            Space with all their terms.
        out: The folder to write; None writes one named like the repository, or none at all where it is uploaded.
        upload: Whether to upload it.
        private: Whether only its owner sees it on the Hub.
        force: Replace a folder that viner published, and what a repository holds.

    Raises:
        VinerError: If there is no such model, it is too large, the folder may not be replaced, or it cannot be uploaded.
            What was there before is there still.
    """
    _check(choices, upload=upload, private=private)
    bundle = find_model(model)
    if choices.model_repo is None and size(bundle) + _REST > LIMIT:
        raise PublishError(
            f"the model has {size(bundle) / 1e9:,.1f} GB, and a Space may have 1 GB",
            where=bundle.path,
            hint="Publish the model by itself (viner publish hub), then let the Space fetch it: --model-repo USER/MODEL",
        )
    return _publish(
        choices, lambda folder: write_space(bundle, folder, choices, rules), out, upload=upload, private=private, force=force
    )


def publish_workbench(
    project: Project,
    choices: SpaceChoices,
    *,
    out: Path | None = None,
    upload: bool = False,
    private: bool = True,
    force: bool = False,
) -> PublishedSpace:
    """Makes a Space in which a team annotates a project, whose texts lie in a PostgreSQL database; see :func:`publish_space`.

    Raises:
        VinerError: If the project cannot be read, the folder may not be replaced, or it cannot be uploaded. What was there
            before is there still.
    """
    _check(choices, upload=upload, private=private)
    settings = project.settings()
    model = suggesting_model(project)
    extras = ["app", "postgres", *(needed_extras(model) if model else ())]

    def write(folder: Path) -> tuple[None, int]:
        write_project(project, model, folder)
        name = choices.title or settings.name
        about = {"short_description": "Annotating texts as a team", "tags": ["viner", "annotation"], "license": choices.license}
        readme = _WORKBENCH.format(title=escape(name), app=app_address(choices.repo), version=__version__)
        _write_app(folder, extras, _SERVE_PROJECT.format(project=PROJECT), {"title": name, **about}, readme)
        return None, 0

    return _publish(choices, write, out, upload=upload, private=private, force=force)


def _check(choices: SpaceChoices, *, upload: bool, private: bool) -> None:
    """Refuses what is known to be wrong before anything is read."""
    check_repo(choices.repo)
    check_title(choices.title)
    check_upload(upload=upload, private=private)


def _publish(
    choices: SpaceChoices,
    write: Callable[[Path], tuple[str | None, int]],
    out: Path | None,
    *,
    upload: bool,
    private: bool,
    force: bool,
) -> PublishedSpace:
    def within_the_limit(folder: Path) -> tuple[str | None, int]:
        told = write(folder)
        total = sum(file_sizes(folder).values())
        if total > LIMIT:
            raise PublishError(
                f"the Space would have {total / 1e9:,.1f} GB, and may have 1 GB",
                hint="Use a smaller model; `viner models --activate NAME` chooses another one of a project",
            )
        return told

    done = publish_repository(
        choices.repo, within_the_limit, kind="space", marker=KIND, out=out, upload=upload, private=private, force=force
    )
    return PublishedSpace(done.folder, done.url, app_address(choices.repo), done.files, *done.told)


def write_space(
    bundle: Bundle, folder: Path, choices: SpaceChoices, rules: RecognitionRules | None = None
) -> tuple[str | None, int]:
    """Writes what the repository of a Space holds into a folder.

    Returns:
        The model that it fetches, None where it is inside; and how many texts can be tried.

    Raises:
        VinerError: If something that it needs is not here, such as Gradio or the model on the Hub.
        OSError: If it cannot be written.
    """
    spoken = languages(bundle)
    if choices.examples is None:
        recognizer = Recognizer.load(bundle.path)
        examples = bundled_examples(recognizer if rules is None else RuledRecognizer(recognizer, rules), spoken)
    else:
        examples = own_examples(choices.examples, spoken[0].partition("-")[0].lower() if len(spoken) == 1 else "")
    write_examples(examples, folder / _EXAMPLES)
    if choices.model_repo is None:
        reference = None
        copy_model(bundle, folder / _MODEL)
    else:
        reference = _referenced(bundle, choices.model_repo)
    kept = f', feedback="{FEEDBACK}"' if choices.feedback else ""
    found = f'here / "{_MODEL}"' if reference is None else f'"{reference}"'
    if rules is not None:
        _write(folder / _RULES, rules_toml(rules))
        found += f', rules=here / "{_RULES}"'
    serving = _SERVE_MODEL.format(model=found, examples=_EXAMPLES, feedback=kept)
    readme = _readme(bundle, choices, rules)
    _write_app(folder, ["app", *needed_extras(bundle)], serving, _about(bundle, choices, reference), readme)
    return reference, len(examples)


def _write_app(folder: Path, extras: Sequence[str], serving: str, about: Mapping[str, Any], readme: str) -> None:
    """Writes what every Space of viner has.

    Args:
        folder: The folder of the Space.
        extras: The extras of viner that it needs.
        serving: What ``app.py`` does once viner is there.
        about: Front matter of its own.
        readme: The README below that.
    """
    wheel = pack_wheel(folder)
    _write(folder / "app.py", _APP.format(wheel=wheel.name) + serving)
    _write(folder / "requirements.txt", "\n".join([*_ABOUT_REQUIREMENTS, *pinned(extras), ""]))
    _write(folder / ".gitattributes", _ATTRIBUTES)
    _write(folder / "README.md", f"---\n{_front_matter(about)}\n---\n\n{readme}")


def app_address(repo: str) -> str:
    """Where the app of a Space will be: at a host of its own, or in its frame on the Hub where the name is too long for one."""
    host = re.sub(r"[^a-z0-9]+", "-", repo.lower()).strip("-")
    return f"https://{host}.hf.space" if len(host) <= _LONGEST_HOST else f"https://huggingface.co/spaces/{repo}"


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8", newline="\n")


def _gradio() -> str:
    try:
        return version("gradio")
    except PackageNotFoundError as error:
        raise MissingExtraError("publishing a Space", "app") from error


def _referenced(bundle: Bundle, name: str) -> str:
    """The model of that name on the Hub, at the commit that was found, after making sure that it is the same."""
    folder = download(name, (INFO,))
    theirs = BundleInfo.read(folder / INFO)
    names = {*theirs.files, *bundle.info.files}
    files = ("tokenizer.json", *sorted(name for name in names if name.startswith(GRAPH)))
    differing = [file for file in files if theirs.files.get(file) != bundle.info.files.get(file)]
    there, here = theirs.to_dict(), bundle.info.to_dict()
    differing += [f"{key} (in {INFO})" for key in _ANSWERING if there.get(key) != here.get(key)]
    if differing:
        raise InputError(
            f"the model on the Hub is another one: its {', '.join(differing)} {'differs' if len(differing) == 1 else 'differ'}",
            where=name,
            hint="Upload this one with `viner publish hub`, or name the revision that holds it: USER/MODEL@REVISION",
        )
    return f"{name.partition('@')[0]}@{folder.name}"


def _about(bundle: Bundle, choices: SpaceChoices, reference: str | None) -> dict[str, Any]:
    repo, _, commit = (reference or "").partition("@")
    return {
        "title": choices.title or title(bundle),
        "short_description": "Named entities of raw text, with exact offsets",
        "license": model_license(bundle.info, CardChoices(license=choices.license)),
        "tags": ["viner", "ner", "named-entity-recognition", "token-classification"],
        "models": [repo] if repo else None,
        "preload_from_hub": [f"{repo} {','.join(published_files(bundle))} {commit}"] if repo else None,
    }


def _front_matter(about: Mapping[str, Any]) -> str:
    """The settings of a Space (https://huggingface.co/docs/hub/spaces-config-reference) as YAML."""
    from huggingface_hub import SpaceCardData

    fields: dict[str, Any] = {
        **{key: value for key, value in about.items() if key != "license"},
        **license_fields(about["license"]),
        "title": one_line(about["title"]),
        "emoji": "🔎",
        "colorFrom": "green",
        "colorTo": "blue",
        "sdk": "gradio",
        "sdk_version": _gradio(),
        "python_version": f"{sys.version_info.major}.{sys.version_info.minor}",
        "app_file": "app.py",
        "pinned": False,
    }
    return str(SpaceCardData(**fields).to_yaml())


def _readme(bundle: Bundle, choices: SpaceChoices, rules: RecognitionRules | None) -> str:
    schema = bundle.info.schema if rules is None else rules.extend(bundle.info.schema)
    rows = "\n".join(f"| {escape(item.name)} | {escape(item.description or '')} |" for layer in schema for item in layer.types)
    kept = _KEPT if choices.feedback else "Nothing that visitors send is kept."
    sections = (
        f"# {escape(choices.title or title(bundle))}\n",
        f"Finds these types of entities in raw text, with exact offsets. {kept}\n",
        f"| type | what it marks |\n|---|---|\n{rows}\n",
        "" if rules is None else _RULED.format(rules=rules.count, file=_RULES),
        _PROGRAMS.format(repo=choices.repo, app=app_address(choices.repo)),
        _figures(bundle.info.metrics, ruled=rules is not None),
        "## Licenses\n\n" + "\n".join(f"- {escape(line)}" for line in license_lines(bundle)) + "\n",
        _FOLDER.format(version=__version__),
    )
    return "\n".join(section for section in sections if section)


def _figures(metrics: Mapping[str, Any], *, ruled: bool) -> str:
    """Scores of the model by split; nothing where nobody measured any."""
    rows = ""
    for split, figures in metrics.items():
        micro = figures.get("micro") if isinstance(figures, Mapping) else None
        if isinstance(micro, Mapping) and all(isinstance(micro.get(key), int | float) for key in _SCORES):
            rows += f"| {escape(split)} | " + " | ".join(f"{micro[key]:.4f}" for key in _SCORES) + " |\n"
    if not rows:
        return ""
    head = "| split | precision | recall | F1 |\n|---|---:|---:|---:|"
    alone = " They are those of the model without its rules." if ruled else ""
    return f"## Figures\n\nStrict, entity level, micro average.{alone}\n\n{head}\n{rows}"


_SCORES = ("precision", "recall", "f1")
_ABOUT_REQUIREMENTS = (
    "# The versions that were tested together. viner itself comes as a wheel, which app.py unpacks: Spaces are built with",
    "# this file alone, before the wheel is there.",
)
_ATTRIBUTES = """\
*.onnx* filter=lfs diff=lfs merge=lfs -text
*.whl filter=lfs diff=lfs merge=lfs -text
tokenizer.json filter=lfs diff=lfs merge=lfs -text
"""
_APP = '''\
"""The app of this Space, by viner."""

import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

here = Path(__file__).parent
library = TemporaryDirectory(prefix="viner-")  # Spaces are built without the wheel, so it is unpacked here
zipfile.ZipFile(here / "{wheel}").extractall(library.name)
sys.path.insert(0, library.name)

'''
_SERVE_MODEL = """\
import viner
from viner.server import serve

serve(viner.load({model}), examples=here / "{examples}"{feedback})
"""
_SERVE_PROJECT = """\
from viner.cli import main

sys.exit(main(["serve", "--project", str(here / "{project}")]))
"""
_KEPT = (
    "Visitors may flag answers as wrong; only then are text and answer kept, on the persistent storage that this Space needs "
    "(Settings, Storage), and whoever sent them can erase them."
)
_RULED = """\
Beside the model, {rules} recognize (`{file}`: lists of terms and patterns, for everybody to read who sees these files). Their
entities have the source `dictionary` or `pattern` and no score.
"""
_PROGRAMS = """\
## From a program

```python
from gradio_client import Client

document = Client("{repo}").predict("Your text.", api_name="/recognize")
for entity in document["entities"]:
    print(entity["start"], entity["end"], entity["label"], entity["text"])
```

```sh
curl {app}/api/v1/recognize -H 'Content-Type: application/json' -d '{{"texts": ["Your text."]}}'
```

While the Space is private, both need a token: `Client(..., token="hf_…")`, and `-H 'Authorization: Bearer hf_…'`. The API is
described at `/api/docs` of the app. Offsets are Unicode code points, end-exclusive.
"""
_FOLDER = """\
## This Space

Written by viner {version} (`viner publish space`). `app.py` starts it, here and on any machine with the packages of
`requirements.txt`: `pip install -r requirements.txt && python app.py`.
"""
_WORKBENCH = """\
# {title}

A workbench for annotating texts, at {app}. Everybody needs an account.

The disk of a Space is empty after each restart, so texts, annotations and accounts lie in a PostgreSQL database. In this
Space's settings, make a secret `VINER_DATABASE_URL` (`postgresql+psycopg://user:password@host/database`); without it the app
does not start. With the same variable on your own machine, in the project folder:

```sh
export VINER_DATABASE_URL='postgresql+psycopg://user:password@host/database'
viner import notices.txt
viner accounts add lan
viner train
```

`viner restore BACKUP` moves a project there that lies in SQLite (`viner backup`). Train on your own machine, since this Space
has no torch; publish again to bring the new model here.

Written by viner {version} (`viner publish space --workbench`).
"""
