"""A web page that recognizes by itself: any host of files serves it, and no text leaves the browser.

The folder holds the graph, ONNX Runtime in WebAssembly, tables that say what Python knows of characters and of the model's
tokenizer, and the modules of ``page/``, which do with them what :class:`~viner.runtime.Recognizer` does. Files lie in folders
named by their content, and ``index.html`` names them, so no browser mixes two versions.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viner.bundle import Bundle
from viner.bundle.graph_files import size_of
from viner.bundle.info import GRAPH
from viner.encoding import PieceEncoder
from viner.publishing.characters import character_tables
from viner.publishing.examples import bundled_examples, own_examples
from viner.publishing.folder import PublishError, file_sizes, new_folder
from viner.publishing.model import check_title, find_model, languages, license_lines, model_name, title
from viner.publishing.npm import Package, read_package
from viner.publishing.page_graph import PageGraph, page_graph
from viner.publishing.pieces import describe
from viner.runtime import Recognizer
from viner.samples.examples import Example
from viner.text import split_words
from viner.version import __version__
from viner.workflow.markdown import escape, one_line

KIND = "static"
"""What the marker of the folder names."""
LIMIT = 500_000_000
"""Bytes of the largest graph that a page gets. While it is loaded, a tab of the browser holds about four and a half times as
much, and WebAssembly ends at 4 GB; phones end sooner."""
GITHUB_LIMIT = 100_000_000
"""Bytes that a file in a GitHub repository, and so on GitHub Pages, may have."""
RUNTIME = Package(
    "onnxruntime-web",
    "1.30.0",
    33_106_585,
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
)
"""Its build without WebGPU runs float32 and int8 graphs with the kernels of the processor, as the server does."""
_SCRIPT, _BINARY = "ort.js", "ort.wasm"
_RUNTIME_FILES = {"dist/ort.wasm.bundle.min.mjs": _SCRIPT, "dist/ort-wasm-simd-threaded.wasm": _BINARY}
_SOURCE_MAP = re.compile(rb"//# sourceMappingURL=\S*\s*\Z")
_PAGE = Path(__file__).parent / "page"
_SHARED = Path(__file__).parents[1] / "annotator" / "static"
_SHARED_MODULES = ("dom.js", "offsets.js")
"""Modules of the annotation page that this page uses, too."""
_MODULUS = 2_147_483_647  # as in page/checks.js
_LICENSES = [
    "ONNX Runtime Web: © Microsoft Corporation, MIT License.",
    "viner: Apache License 2.0.",
]


@dataclass(frozen=True, slots=True)
class PublishedPage:
    """A web page that was published.

    Args:
        folder: Where it lies.
        files: Size of each of its files, in bytes.
        download: Bytes that a browser fetches on the first visit.
        examples: How many texts can be tried on the page.
        engine: The graph that it carries, "int8" or "fp32".
        halved: Whether a float32 graph keeps its matrices in 16 bits.
    """

    folder: Path
    files: dict[str, int]
    download: int
    examples: int
    engine: str
    halved: bool

    @property
    def largest(self) -> int:
        """Bytes of its largest file."""
        return max(self.files.values())


def publish_page(
    model: str | Path,
    *,
    out: Path | None = None,
    force: bool = False,
    name: str | None = None,
    examples: Path | None = None,
    runtime: Path | None = None,
    engine: str | None = None,
    fetching: Callable[[Package], None] | None = None,
) -> PublishedPage:
    """Makes a web page of a model, as a folder.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id.
        out: The folder to write; None takes one named like the model.
        force: Replace a folder that viner published.
        name: The title of the page; None takes that of the model.
        examples: A file whose first documents can be tried on the page; None takes bundled texts that the model knows something
            in.
        runtime: The archive of :data:`RUNTIME`, where it lies on this disk; None fetches it, once.
        engine: The graph that it carries, "int8" or "fp32"; None takes the one that the model chose, and float32 of a cascade.
        fetching: Called before it is fetched.

    Raises:
        VinerError: If there is no such model, it is too large for a browser, its tokenizer has a part that the page does not
            know, the engine's graph cannot be built, the folder may not be replaced, or ONNX Runtime cannot be fetched. What
            was there before is there still.
    """
    check_title(name)
    bundle = find_model(model)
    target = out or Path(f"{model_name(model)}-static")
    if bundle.info.segmenter is not None:
        raise PublishError(
            f"the model reads segments of {bundle.info.segmenter.name}, which does not run in a browser",
            where=bundle.path,
            hint="Publish it where a server recognizes (viner publish space, viner publish docker), or train on syllables:"
            " --segmenter none",
        )
    encoder = PieceEncoder.from_folder(bundle.path, views=bundle.info.views, max_pieces=bundle.info.windows.pieces)
    with page_graph(model, bundle, engine) as graph:
        _check_size(bundle, graph.path)
        recognizer = Recognizer.from_graph(bundle.info, bundle.path, graph.path, engine=graph.engine)
        rules = _rules(bundle, encoder, recognizer)
        shown = own_examples(examples) if examples is not None else bundled_examples(recognizer, languages(bundle))
        with new_folder(target, kind=KIND, force=force) as folder:
            parts = read_package(RUNTIME, _RUNTIME_FILES, archive=runtime, fetching=fetching)
            download = _write_page(folder, bundle, graph, one_line(name or title(bundle)), rules, parts, shown)
            files = file_sizes(folder)
    return PublishedPage(target, files, download, len(shown), graph.engine, graph.halved)


def page_modules() -> dict[str, bytes]:
    """The modules and the style sheet of the page by name, without ONNX Runtime."""
    modules = {path.name: path.read_bytes() for path in _PAGE.iterdir() if path.suffix in (".js", ".css")}
    return modules | {name: (_SHARED / name).read_bytes() for name in _SHARED_MODULES}


def _check_size(bundle: Bundle, graph: Path) -> None:
    size = size_of(graph)
    if size > LIMIT:
        raise PublishError(
            f"the graph has {size / 1e6:,.0f} MB, and a browser holds graphs of up to {LIMIT / 1e6:,.0f} MB",
            where=bundle.path,
            hint="Publish it where a server recognizes (viner publish space, viner publish docker), or train on a smaller base",
        )


def _rules(bundle: Bundle, encoder: PieceEncoder, recognizer: Recognizer) -> dict[str, Any]:
    """What the page must know of the model, and texts that it proves itself on before it answers."""
    info = bundle.info
    # Words that do not come from this splitter are not what the page would find.
    texts = [item.text for item in bundle.canaries().documents if list(item.words or ()) == split_words(item.text)]
    return {
        "labels": info.heads[0].labels,
        "calibration": None if info.calibration is None else info.calibration.to_dict(),
        "least_estimate": info.least_estimate,
        "overlap": min(info.windows.overlap, encoder.capacity - 1),
        "pieces": describe(encoder),
        "texts": [[text, fingerprint(encoder, text)] for text in texts],
        "sample": _sample(recognizer, texts),
    }


def fingerprint(encoder: PieceEncoder, text: str) -> int:
    """One number for where the words and pieces of a text are; ``page/checks.js`` makes the same of them."""
    words = split_words(text)
    encoded = encoder.encode(text, words)
    mark = 0
    for numbers in ((border for span in words for border in span), encoded.pieces.tolist(), encoded.offsets.tolist()):
        for number in numbers:
            mark = (mark * 31 + number + 1) % _MODULUS
    return mark


def _sample(recognizer: Recognizer, texts: list[str]) -> dict[str, Any] | None:
    """The shortest text in which the page's graph finds something, with what it finds."""
    by_length: list[str] = sorted(texts, key=len)
    for document in recognizer.stream(by_length):
        if document.entities:
            entities = sorted(document.entities, key=lambda entity: entity.start)
            return {"text": document.text, "entities": [[entity.start, entity.end, entity.label] for entity in entities]}
    return None


def _write_page(
    folder: Path,
    bundle: Bundle,
    graph: PageGraph,
    name: str,
    rules: Mapping[str, Any],
    runtime: Mapping[str, bytes],
    examples: list[Example],
) -> int:
    """Writes all files; returns how many bytes a first visit fetches."""
    modules = page_modules()
    modules[_SCRIPT] = _SOURCE_MAP.sub(b"", runtime[_SCRIPT])
    code = _write_named(folder, "code", modules)
    packed = {"rules.json": _json(rules), "tables.json": _json(character_tables()), _BINARY: runtime[_BINARY]}
    contents = {f"{file}.gzip": gzip.compress(content, 9, mtime=0) for file, content in packed.items()}
    contents[GRAPH] = graph.path.read_bytes()
    model = _write_named(folder, "model", contents)
    names = {"rules": "rules.json.gzip", "tables": "tables.json.gzip", "runtime": f"{_BINARY}.gzip", "graph": GRAPH}
    layer = bundle.info.schema[bundle.info.heads[0].layer]
    published = {
        "title": name,
        "types": [{**item.to_dict(), "color": layer.color(item.name)} for item in layer.types],
        "examples": [{"language": item.language, "title": item.title, "text": item.text} for item in examples],
        "output": bundle.info.heads[0].layer,
        "files": {
            key: {
                "path": f"{model}/{file}",
                "bytes": len(contents[file]),
                "sha256": hashlib.sha256(contents[file]).hexdigest(),
                "packed": file.endswith(".gzip"),
            }
            for key, file in names.items()
        },
        "bytes": sum(map(len, contents.values())),
        "viner": __version__,
        "runtime": str(RUNTIME),
        "licenses": [*license_lines(bundle), *_LICENSES],
    }
    page = (_PAGE / "index.html").read_text(encoding="utf-8")
    values = {"title": html.escape(name), "code": code, "published": _json(published).decode().replace("<", "\\u003c")}
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], page)
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "README.md").write_text(_readme(name), encoding="utf-8")
    (folder / "LICENSE-onnxruntime.txt").write_text(_MIT, encoding="utf-8")
    (folder / ".nojekyll").touch()  # GitHub Pages takes the files as they are
    return sum(map(len, [*contents.values(), *modules.values(), page.encode()]))


def _write_named(folder: Path, kind: str, contents: Mapping[str, bytes]) -> str:
    """Writes files into a folder whose name says what is in them; returns the name."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(f"{name}\0{len(contents[name])}\0".encode())
        digest.update(contents[name])
    inner = f"{kind}-{digest.hexdigest()[:12]}"
    (folder / inner).mkdir()
    for name, content in contents.items():
        (folder / inner / name).write_bytes(content)
    return inner


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _readme(name: str) -> str:
    heading = json.dumps(name, ensure_ascii=False)  # a string of YAML, whatever it holds
    return f"""---
title: {heading}
sdk: static
pinned: false
custom_headers:
  cross-origin-embedder-policy: require-corp
  cross-origin-opener-policy: same-origin
  cross-origin-resource-policy: cross-origin
---

# {escape(name)}

A web page that finds named entities in a text. It works in the browser that opens it: the text is sent nowhere, and there is no
server. Made with `viner publish static` (viner {__version__}, {RUNTIME}).

## Look at it

    python -m http.server --directory . 8000

and open http://localhost:8000. Opened as a file, browsers do not let it run.

## Host it

Upload the whole folder, with the names that it has; any host of files will do, and the page may lie on a sub-path.

- **GitHub Pages:** put the files into a repository, then Settings → Pages → Deploy from a branch. GitHub takes files of up to
  100 MB; Git LFS does not work there.
- **A static Space of Hugging Face:** make a Space with the SDK *Static*, then `hf upload USER/NAME . . --repo-type space`. The
  lines at the top of this file make it one, and allow the page several threads.
- **nginx:**

      location /ner/ {{
          alias /srv/ner/;
          add_header Cross-Origin-Opener-Policy same-origin;
          add_header Cross-Origin-Embedder-Policy require-corp;
      }}

The two headers let the page use several processor cores. Without them it works with one. Use https: over plain http browsers do
not keep the model for the next visit.

A new version of the page goes where the old one was: file names change with the content, so nobody gets a mixture.
"""


_MIT = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
