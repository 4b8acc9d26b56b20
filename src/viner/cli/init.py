"""``viner init``."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viner.cli.import_ import describe, tell_skipped
from viner.cli.options import FILE, json_option
from viner.cli.projects import require_app
from viner.cli.terminal import echo_json, progress
from viner.cli.texts import Texts, find_texts, read_documents
from viner.cli.types import Types, read_types
from viner.errors import InputError, UsageError
from viner.paths import expanded
from viner.schema import Schema

if TYPE_CHECKING:
    from viner.store import AddReport

USUAL_TYPES = "PERSON: names of people; ORGANIZATION: companies and institutions; LOCATION: places"
_RESERVED = ("viner.db", "GUIDELINE.md", "models", "runs")


@click.command(short_help="Make a project from a folder of texts.")
@click.argument("folder", type=FILE, required=False, metavar="[DIR]")
@click.option("--name", help="Name of the project; that of the folder if not given.")
@click.option("--language", metavar="CODE", help="Language of the texts: vi, en or another code.")
@click.option(
    "--types",
    metavar="TYPES",
    multiple=True,
    help='What to mark: "PERSON,PLACE", "PERSON: names of people; PLACE: …", a file of such lines, a schema.json, or '
    "`epidemic`, the bundled types with their guideline; may be repeated.",
)
@click.option("--texts", type=FILE, metavar="PATH", multiple=True, help="File or folder of texts; may be repeated.")
@json_option
def init(
    folder: Path | None,
    name: str | None,
    language: str | None,
    types: tuple[str, ...],
    texts: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Make a project in DIR (the current folder if not given) and take texts into it. Asks what was not given.

    DIR is new, empty, or holds nothing but texts, which are then the project's. In a folder of texts each text file is one
    document; a text file given by itself holds one document a line.

    \b
    Example:
      viner init covid
      cd notices; viner init
      viner init covid --language vi --types "PERSON,PLACE: towns and countries" --texts notices/
    """
    require_app("a project")
    folder = Path() if folder is None else expanded(folder)
    lying = _check_folder(folder)
    asked = sys.stdin.isatty() and sys.stderr.isatty() and not as_json
    if asked:
        name = name or _ask("Name", "What the project is called.", folder.resolve().name)
        language = language or _asked_language()
    elif language is None:
        raise UsageError("a new project needs --language and --types", hint="See: viner init --help")
    _check_language(language)
    from viner.formats import speakable

    name = speakable(name or folder.resolve().name).strip()
    if not name:
        raise UsageError("the name is empty")
    found = _texts(folder, lying, texts, asked)
    chosen = _types(types, found, asked)
    report = _make(folder, name, language, chosen, found)
    if as_json:
        skipped = {str(path): why for path, why in found.skipped.items()}
        echo_json({"project": str(folder), **report.to_dict(), "skipped_files": skipped})
        return
    tell_skipped(found)
    place = "" if folder.resolve() == Path.cwd() else f" --project {shlex.quote(str(folder))}"
    click.echo("\n".join([f"Project: {name}", *describe(report)]))
    if not report.added:
        click.echo(f"Take texts into it:     viner import FILE...{place}")
    click.echo(f"Annotate in the browser: viner serve{place}")
    click.echo(f"Train on what is done:   viner train{place}")


def _ask(what: str, explanation: str, default: str) -> str:
    click.echo(f"\n{explanation}", err=True)
    answer: str = click.prompt(what, default=default, err=True)
    return answer.strip()


def _asked_language() -> str:
    while True:
        answer = _ask("Language", "Of the texts: vi, en or another code.", "vi")
        try:
            _check_language(answer)
        except UsageError as error:
            click.echo(str(error), err=True)
        else:
            return answer


def _check_language(language: str) -> None:
    import re

    if not re.fullmatch(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", language):
        raise UsageError(f"{language!r} is no language code", hint="Give one such as vi or en")


def _check_folder(folder: Path) -> bool:
    """Whether texts lie in the folder.

    Raises:
        InputError: If it cannot become a project.
    """
    from viner.formats import reads_name

    if not folder.exists():
        return False
    if not folder.is_dir():
        raise InputError("this is a file, not a folder", where=folder)
    if (folder / "viner.toml").exists():
        raise InputError("this is a project already", where=folder, hint="Take more texts into it with: viner import")
    for name in _RESERVED:
        if (folder / name).exists():
            raise InputError(f"the folder has a {name}, which a project makes itself", where=folder, hint=_ELSEWHERE)
    lying = [path for path in folder.iterdir() if not path.name.startswith(".")]
    files = [path for path in folder.rglob("*") if path.is_file() and not _hidden(path.relative_to(folder))]
    other = [path for path in files if not reads_name(path)]
    if other:
        names = ", ".join(str(path.relative_to(folder)) for path in sorted(other)[:3])
        raise InputError(
            f"the folder holds {len(other)} files that are no texts ({names}{', …' * (len(other) > 3)})",
            where=folder,
            hint=_ELSEWHERE,
        )
    return bool(lying)


_ELSEWHERE = "Make the project in a folder of its own: viner init NEW --texts PATH"


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _texts(folder: Path, lying: bool, given: tuple[Path, ...], asked: bool) -> Texts:
    if given or not asked:
        return find_texts(given or ([folder] if lying else []))
    default = str(folder) if lying else "none"
    while True:
        answer = _ask("Texts", "A file or folder of texts, or none for now; viner import takes more at any time.", default)
        if answer == "none" and not Path(answer).exists():
            return Texts()
        try:
            return find_texts([expanded(answer)])
        except InputError as error:
            click.echo(str(error), err=True)


def _types(given: tuple[str, ...], texts: Texts, asked: bool) -> Types:
    if given:
        return read_types(given)
    labels = [item.name for layer in Schema.infer(read_documents(texts)) for item in layer.types]
    if not asked:
        if not labels:
            raise UsageError("a new project needs --types", hint='Such as --types "PERSON,PLACE: towns and countries"')
        return Types(Schema.of_entities(labels))
    explanation = (
        "What to mark: names with commas between them, or with descriptions as in the default; a file of such lines; or "
        "epidemic, the bundled types with their guideline. Types can be changed at any time."
    )
    while True:
        answer = _ask("Types", explanation, ", ".join(labels) or USUAL_TYPES)
        try:
            return read_types([answer])
        except InputError as error:
            click.echo(str(error), err=True)


def _make(folder: Path, name: str, language: str, types: Types, texts: Texts) -> AddReport:
    """Makes the project beside its place and moves it there; on an error nothing of it stays."""
    from viner.annotation.sync import sync, write_back
    from viner.formats import Trail
    from viner.project import Project
    from viner.project.create import project_files, write_files
    from viner.store import Store

    with _workshop(folder) as workshop:
        write_files(workshop, project_files(name, language, types.schema, guideline=types.guideline))
        made = Project(workshop)
        with Store.of_project(made) as store:
            if store.counts().documents or store.schema()[0] != types.schema:
                raise InputError(
                    "the database that VINER_DATABASE_URL names belongs to another project",
                    hint="Name an empty one, or unset the variable",
                )
            sync(made, store)
            trail = Trail()
            with trail.followed():
                report = store.add(progress(read_documents(texts, trail=trail)), who="import", new_labels="add")
            if report.labels:
                write_back(store, made)
    return report


@contextlib.contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder inside the one to be, whose content moves up when the block ends without an error."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    moved: list[Path] = []
    workshop: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".viner-init-", dir=folder))
        yield workshop
        # viner.toml last: with it the folder is a project.
        for path in sorted(workshop.iterdir(), key=lambda path: path.name == "viner.toml"):
            if path.name == ".gitignore" and (folder / path.name).exists():
                click.echo(f"{folder / path.name} is left as it is; these lines belong into it:\n{path.read_text()}", err=True)
                continue
            moved.append(path.rename(folder / path.name))
    except BaseException:
        for path in moved:
            path.unlink() if path.is_file() else shutil.rmtree(path)
        raise
    finally:
        if workshop is not None:
            shutil.rmtree(workshop, ignore_errors=True)
        for path in new:
            with contextlib.suppress(OSError):
                path.rmdir()  # only while it is empty
