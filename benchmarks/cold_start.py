"""How long one waits: for the server's first answer, its page, one line of `viner predict`, the import, the help.

Each is a fresh process; the median of 5 runs, files in the system's cache. Half a minute. VINER_BENCH_SIZE=small runs once.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from _bench import model_folder, report, size, table

VINER = [sys.executable, "-m", "viner"]
NOTICE = "Bệnh nhân 91 là phi công người Anh, bay từ London đến Hà Nội ngày 18/3."
TIMEOUT = 120.0
POLL = 0.02


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> float:
    """Seconds until ``ready`` is true; refused connections and errors of the server count as not yet."""
    began = time.perf_counter()
    while time.perf_counter() - began < TIMEOUT:
        try:
            if ready():
                return time.perf_counter() - began
        except OSError:  # refused, or an HTTP status of 400 and above
            pass
        if process.poll() is not None:
            sys.exit(f"viner serve ended with status {process.returncode}")
        time.sleep(POLL)
    sys.exit(f"viner serve gave no answer in {TIMEOUT:.0f} seconds")


def serve(model: Path) -> tuple[float, float]:
    """Seconds from starting ``viner serve`` to its first REST answer, and to its page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    body = json.dumps({"texts": [NOTICE]}).encode()

    def answers() -> bool:
        request = urllib.request.Request(f"{address}/api/v1/recognize", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return bool(json.load(response)["documents"])

    def shows_page() -> bool:
        with urllib.request.urlopen(f"{address}/api/v1/ready", timeout=TIMEOUT):
            pass
        with urllib.request.urlopen(f"{address}/", timeout=TIMEOUT) as response:
            return b"<html" in response.read()

    process = subprocess.Popen(
        [*VINER, "serve", str(model), "--port", str(port), "--no-browser"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first = wait_for(answers, process)
        return first, first + wait_for(shows_page, process)
    finally:
        process.terminate()
        process.wait()


def run(*command: str) -> float:
    """Seconds of a whole process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def import_seconds() -> float:
    """Seconds that ``import viner`` takes within a fresh process."""
    code = "import time; began = time.perf_counter(); import viner; print(time.perf_counter() - began)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    os.environ["VINER_NO_BROWSER"] = "1"
    model = model_folder()
    times = size(5, 1)
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as folder:
        line = Path(folder) / "one.txt"
        line.write_text(NOTICE + "\n", encoding="utf-8")
        served = [serve(model) for _ in range(times)]
        measured = {
            "serve_first_answer_s": [first for first, _ in served],
            "serve_page_s": [page for _, page in served],
            "predict_one_line_s": [run(*VINER, "predict", str(model), str(line)) for _ in range(times)],
            "import_viner_s": [import_seconds() for _ in range(times)],
            "help_s": [run(*VINER, "--help") for _ in range(times)],
        }
    names = {
        "serve_first_answer_s": ("viner serve: first REST answer", 6.0),
        "serve_page_s": ("viner serve: page", "-"),
        "predict_one_line_s": ("viner predict: one line", 1.5),
        "import_viner_s": ("import viner", 0.15),
        "help_s": ("viner --help", 0.4),
    }
    table(
        ("from a cold start", "median, s", "slowest, s", "at most, s"),
        [(names[key][0], statistics.median(found), max(found), names[key][1]) for key, found in measured.items()],
    )
    report({key: statistics.median(found) for key, found in measured.items()})


if __name__ == "__main__":
    sys.exit(main())
