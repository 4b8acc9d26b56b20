"""PhoNER_COVID19 from download to trained model, table and error analysis: see README.md beside this file.

Every step is a verb of viner's command line and is printed before it runs, so that it can be done by hand as well.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import shlex
import sys
import urllib.error
import urllib.request
from pathlib import Path

from viner.cli.main import main as viner
from viner.errors import InputError, VinerError

COMMIT = "9af190aa76adcfad0a2d14fab9bcab2b252c9c2e"
SOURCE = f"https://raw.githubusercontent.com/VinAIResearch/PhoNER_COVID19/{COMMIT}"
SPLITS = ("train", "dev", "test")
SHA256 = {
    "data/syllable/train_syllable.conll": "f9e982ae0673298d7c075797ad00cce9145dd44c1d4d9b5aa0bc881256d66a06",
    "data/syllable/dev_syllable.conll": "9cea3ab5741f0d637e3deaffb107ed41a3572266399304ea036e71fe1a7e46b5",
    "data/syllable/test_syllable.conll": "b58ef95fedbc61fd002fcd4a587d1021efdfe714e5c6c8a0fa576f3bbca191ce",
    "data/word/train_word.conll": "817041fa5dbb5b8c173a78a572bf889fd632ffa7a665eb920b7a7a17a007c5d6",
    "data/word/dev_word.conll": "63ad973d1264c975b347520839c4a3b6ca3cb6701a74dea711cd42e1f917dfa5",
    "data/word/test_word.conll": "14f9ba66650a9bfbdf9acd6941ca32229f2a83b2ca544d037481dfaefeae5acf",
}
TERMS = """\
PhoNER_COVID19 is by Thinh Hung Truong, Mai Hoang Dao and Dat Quoc Nguyen (NAACL 2021), copyright (c) 2021 VinAI.
By downloading it, you agree

  - to use PhoNER_COVID19 for research or educational purposes only,
  - to not distribute PhoNER_COVID19 or part of PhoNER_COVID19 in any original or modified form,
  - and to cite their paper whenever it is employed to help produce published results:
    https://aclanthology.org/2021.naacl-main.173/

The data is provided "as is", without warranty of any kind.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs the recipe; returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Train on PhoNER_COVID19, score the model on its test set, and write what it gets wrong as a page.",
        epilog="All other options go to `viner train`, such as --base vinai/phobert-base-v2 or --epochs 3.",
    )
    parser.add_argument("--out", type=Path, default=Path("phoner"), help="folder of data, model and results (phoner)")
    parser.add_argument("--data", type=Path, help="a copy of the data set that you have, in the place of a download")
    parser.add_argument("--level", choices=("syllable", "word"), default="syllable", help="which tokens (syllable)")
    parser.add_argument("--accept-license", action="store_true", help="agree to the terms of the data set without being asked")
    options, training = parser.parse_known_args(arguments)
    try:
        files = get_files(options.data, options.out, options.level, accepted=options.accept_license)
        return train_and_score(files, options.out, training)
    except VinerError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return error.exit_status


def get_files(data: Path | None, out: Path, level: str, *, accepted: bool) -> dict[str, Path]:
    """The files by split, found or fetched.

    Args:
        data: A copy of the repository, or of its folder for that level; None downloads.
        out: Folder of data, model and results; what is fetched is kept in it.
        level: "syllable" or "word".
        accepted: Whether the terms were agreed to already.

    Raises:
        InputError: If a file is missing, cannot be fetched, or is not the one that this recipe was made for.
    """
    names = {split: f"data/{level}/{split}_{level}.conll" for split in SPLITS}
    if data is not None:
        return {split: find(data, name) for split, name in names.items()}
    files = {split: out / name for split, name in names.items()}
    if not all(path.is_file() for path in files.values()):
        ask_for_consent(accepted)
        for split, name in names.items():
            fetch(name, files[split])
    return files


def find(data: Path, name: str) -> Path:
    """A file of a copy of the repository, or of its folder for one level.

    Raises:
        InputError: If there is none.
    """
    for place in (data / name, data / Path(name).name):
        if place.is_file():
            return place
    raise InputError("no such file", where=data / name, hint="--data is a copy of the repository VinAIResearch/PhoNER_COVID19")


def ask_for_consent(accepted: bool) -> None:
    """Shows the terms and goes on only if they are agreed to.

    Raises:
        InputError: If they are not.
    """
    print(TERMS)
    if accepted:
        print("Agreed to with --accept-license.")
    elif not sys.stdin.isatty():
        raise InputError("nobody is here to agree to these terms", hint="Add --accept-license if you do")
    elif input("Do you agree? [yes/no] ").strip().lower() not in ("yes", "y"):
        raise InputError("without consent nothing is downloaded")


def fetch(name: str, target: Path) -> None:
    """Downloads one file of the pinned commit, and keeps it if its SHA-256 is the expected one.

    Raises:
        InputError: If it cannot be fetched or is another file.
    """
    url = f"{SOURCE}/{name}"
    print(f"Fetching {url}")
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            content = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise InputError(f"it cannot be fetched ({error})", where=url, hint="Give a copy that you have with --data") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise InputError("its SHA-256 is not the expected one", where=url, hint="Was it cut off on the way? Try again")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    partial.write_bytes(content)
    partial.replace(target)


def train_and_score(files: dict[str, Path], out: Path, training: list[str]) -> int:
    """Trains, scores on the test set, and writes ``results.md`` and ``errors.html``.

    Args:
        files: The annotated file of each split.
        out: Folder of model and results.
        training: More options of ``viner train``.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / ".gitignore").write_text("*\n", encoding="utf-8")  # data and errors quote what must not be distributed
    model = out / "model"
    given = [item for split in SPLITS for item in (f"--{split}", str(files[split]))]
    train = ["train", *given, "--out", str(model), *training]
    evaluate = ["evaluate", str(model), str(files["test"]), "--report", str(out / "errors.html")]
    scores = io.StringIO()
    for command, captured in ((train, None), (evaluate, scores)):
        print(f"\n$ viner {shlex.join(command)}", flush=True)
        with contextlib.redirect_stdout(captured) if captured else contextlib.nullcontext():
            status = viner(command)
        if status != 0:
            return status
    print(scores.getvalue())
    commands = "\n".join(f"$ viner {shlex.join(command)}" for command in (train, evaluate))
    results = f"# PhoNER_COVID19, test\n\n```console\n{commands}\n```\n\n{scores.getvalue().strip()}\n"
    (out / "results.md").write_text(results, encoding="utf-8")
    print(f"Table: {out / 'results.md'}\nErrors: {out / 'errors.html'}\nTry the model: viner serve {model}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
