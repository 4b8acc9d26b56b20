"""What a published model costs: a Space's start, memory and size, from a clean environment of its own files; a static page's
download and speed in Chromium, and whether it answers as the model does.

The Space is made of a model and built as the Hub's builder does: pip sees its requirements.txt alone, and what every Gradio
Space gets on top. Needs PyPI; about 3 minutes. VINER_BENCH_SIZE=small starts it once.

A further kind of publishing adds a function to MEASURES that prints its table and returns its figures.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

from _bench import ROOT, model_folder, report, size, table
from _static_page import static_page

sys.path.insert(0, str(ROOT / "tests"))
from support.spaces import build_environment, running
from viner.publishing.space import SpaceChoices, publish_space

NOTICE = "Bệnh nhân 91 là phi công người Anh, bay từ London đến Hà Nội ngày 18/3."
Figures = dict[str, float | int]


def folder_mb(folder: Path) -> float:
    """Megabytes of the files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def space(model: Path) -> Figures:
    """A Space: ``app.py`` to the first answer, resident memory once the page is there, what pip installed."""
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as place:
        made = publish_space(model, SpaceChoices("someone/notices"), out=Path(place) / "notices").folder
        assert made is not None
        python = build_environment(made, Path(place) / "environment", compiled=True)
        environment_mb = folder_mb(Path(place) / "environment")
        seconds, memory = [], []
        for _ in range(size(5, 1)):
            with running(made, python, NOTICE) as app:
                seconds.append(app.seconds)
                with urllib.request.urlopen(f"{app.url}/en/", timeout=120) as page:  # Gradio is loaded by then
                    page.read()
                memory.append(psutil.Process(app.process.pid).memory_info().rss / 1e6)
        folder = folder_mb(made)
    found: Figures = {
        "space_first_answer_s": statistics.median(seconds),
        "space_rss_mb": statistics.median(memory),
        "space_env_mb": environment_mb,
    }
    table(
        ("a Space", "measured", "at most"),
        [
            ("app.py to the first answer, s (median)", found["space_first_answer_s"], 10),
            ("resident memory with the page, MB (median)", found["space_rss_mb"], 600),
            ("installed packages, MB", found["space_env_mb"], 900),
            ("the folder, model inside, MB", folder, "-"),
        ],
    )
    return found


MEASURES: tuple[Callable[[Path], Figures], ...] = (space, static_page)


def main() -> None:
    model = model_folder()
    figures: Figures = {}
    for measure in MEASURES:
        figures |= measure(model)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
