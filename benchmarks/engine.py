"""How fast and how exact recognition is: against the processor, against other ways to run the same weights, and against fp32.

Speed: the same texts to viner's bulk stream, to `transformers.pipeline` at its best (all of fp32/bf16 × batch 1, 8, 32, 64 ×
sorted by length or not are tried on some of the texts, the two best run in the rounds), to the pipeline as documented, to the
int8 pipeline that optimum makes, and to a spaCy pipeline of the size of en_core_web_sm; where OpenVINO is installed, viner runs
with both providers, and the figures of the better one have the plain names. They take turns, round by round;
figures are medians over the rounds, ratios those within a round. Pieces are counted by the model's tokenizer, without special
ones.

The ceiling: the rate of an int8 matrix product, as `viner bench` measures it, once a round, of which the highest counts; a
piece takes two operations for each weight of the model's matrices.

Exactness: entities of the model folder's graph against those of the model in float32 with torch, on each set at hand.

About 15 minutes. VINER_BENCH_SIZE=small takes 40 sentences and one round. The model: see `benchmarks/_bench.py`;
VINER_BENCH_SMALL_MODEL names a smaller one whose lone sentence is timed as well.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging

from _bench import model_folder, report, sentences, size, table
from _exactness import compare, exact_recognizer, sets
from _peers import Peer, documented_pipeline, int8_pipelines, pipelines
from viner.bundle import processor, read_bundle
from viner.bundle.info import CASCADE
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.formats import read
from viner.measure import Latency, StagedRecognizer, graph_of, int8_ceiling, measure_latency, profile_graph, single_sentences
from viner.runtime import OnnxEngine, Recognizer
from viner.runtime.engine import cores
from viner.runtime.provider import ONNX_RUNTIME, OPENVINO
from viner.text import split_words
from viner.workflow.rebuild import rebuild_graph

SETTLING = 5.0
"""Seconds in which OpenVINO makes its model for lone texts, beside the work."""
SLOW_SHARE = 6
"""The pipeline as documented gets every sixth text: one by one, a text costs the same whatever comes before it."""
OURS = {ONNX_RUNTIME: "viner", OPENVINO: "viner with OpenVINO", CASCADE: "viner, float32 where int8 is unsure"}
SPACY = "spaCy CNN of en_core_web_sm's size, a process a core"


class Bench:
    """A model with its texts and its costs.

    Args:
        folder: The model folder.
        texts: What is recognized.
    """

    def __init__(self, folder: Path, texts: list[str]) -> None:
        bundle = read_bundle(folder)
        info = bundle.info
        self.folder = folder
        self.texts = texts
        self.recognizers = recognizers(folder)
        self.recognizer = self.recognizers[ONNX_RUNTIME]
        self.encoder = PieceEncoder.from_folder(folder, views=info.views, max_pieces=info.windows.pieces)
        graph = graph_of(bundle, self.recognizer.engine)
        staged = StagedRecognizer(info, self.encoder, OnnxEngine(graph, info.heads[0].layer))
        some = staged([Document(text) for text in texts[:200]])
        self.operations = profile_graph(graph, some.batches).operations_per_piece
        self.ceiling = 0.0

    def pieces(self, texts: Sequence[str]) -> int:
        return sum(len(self.encoder.encode(text, split_words(text)).pieces) for text in texts)

    def look_at_the_ceiling(self) -> None:
        self.ceiling = max(self.ceiling, int8_ceiling(cores()).operations_per_s)

    def latency(self, recognize: Callable[[str], Any], calls: int) -> Latency:
        documents = [Document(text) for text in self.texts]
        return measure_latency(recognize, self.encoder, single_sentences(self.encoder, documents), calls=calls)


def recognizers(folder: Path) -> dict[str, Recognizer]:
    """The model with each provider at hand, and as a cascade of int8 and float32 where it runs int8."""
    names = [ONNX_RUNTIME, *([OPENVINO] if find_spec("openvino") else [])]
    if len(names) == 1:
        print("OpenVINO is not installed, so its rows are left out: pip install 'viner[openvino]'")
    loaded = {name: Recognizer.load(folder, provider=name) for name in names}
    found = {name: recognizer for name, recognizer in loaded.items() if recognizer.provider == name}
    if loaded[ONNX_RUNTIME].engine == "int8":
        rebuild_graph(folder, "fp32")
        found[CASCADE] = Recognizer.load(folder, engine=CASCADE)
    return found


def texts_at_hand(count: int) -> list[str]:
    """PhoNER's test set where it is there, else running text in both languages."""
    phoner = os.environ.get("VINER_PHONER")
    if phoner:
        return [document.text for document in islice(read(Path(phoner) / "test.conll"), count)]
    return sentences(count)


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def screen(bench: Bench, peers: Sequence[Peer], texts: Sequence[str], keep: int) -> list[Peer]:
    """Tries peers on some texts, prints how fast they are, and returns the best."""
    pieces = bench.pieces(texts)
    speeds = {}
    for peer in peers:
        peer.run(texts[:: max(1, len(texts) // 8)])
        speeds[peer.name] = pieces / seconds(lambda peer=peer: peer.run(texts))
    table((f"tried on {len(texts)} texts", "pieces/s"), list(speeds.items()))
    return sorted(peers, key=lambda peer: -speeds[peer.name])[:keep]


def rounds(
    bench: Bench, runs: Mapping[str, tuple[Callable[[Sequence[str]], Any], Sequence[str]]], count: int
) -> list[dict[str, float]]:
    """Pieces a second of each, by round."""
    pieces = {name: bench.pieces(texts) for name, (_, texts) in runs.items()}
    for run, texts in runs.values():
        run(texts[:: max(1, len(texts) // 8)])
    found = []
    for _ in range(count):
        bench.look_at_the_ceiling()
        found.append(
            {name: pieces[name] / seconds(lambda run=run, texts=texts: run(texts)) for name, (run, texts) in runs.items()}
        )
    return found


def speed(bench: Bench, scratch: Path) -> dict[str, float]:
    """Prints who is how fast; the figures."""
    texts = bench.texts
    some = texts[:: max(1, len(texts) // size(120, 8))]
    best = screen(bench, pipelines(bench.folder), some, keep=2)
    int8 = screen(bench, int8_pipelines(bench.folder, scratch), some, keep=1)
    plain = documented_pipeline(bench.folder)
    runs: dict[str, tuple[Callable[[Sequence[str]], Any], Sequence[str]]] = {
        **{
            OURS[name]: (lambda texts, recognizer=recognizer: list(recognizer.stream(texts)), texts)
            for name, recognizer in bench.recognizers.items()
        },
        **{peer.name: (peer.run, texts) for peer in (*best, *int8)},
        plain.name: (plain.run, texts[::SLOW_SHARE]),
    }
    with spacy_of(bench) as spacy:
        if spacy is not None:
            runs[SPACY] = (spacy, texts)
        found = rounds(bench, runs, size(5, 1))
    speeds = {name: statistics.median(one[name] for one in found) for name in runs}

    ours = {name: OURS[name] for name in bench.recognizers}
    first = max((OURS[name] for name in ours if name != CASCADE), key=lambda name: speeds[name])

    def faster(than: str, ours: str = first) -> float:
        # Within a round, so that a slow moment of the machine hits both sides.
        return statistics.median(one[ours] / one[than] for one in found)

    best_name = max((peer.name for peer in best), key=lambda name: speeds[name])
    words = sum(len(split_words(text)) for text in texts) / bench.pieces(texts)
    full = bench.ceiling / bench.operations
    rows: list[tuple[object, ...]] = [("int8 ceiling", full, full * words, "100.0%", "")]
    rows += [
        (
            name,
            value,
            value * words,
            f"{value / full:.1%}" if name != SPACY else "",
            "" if name in ours.values() else faster(name),
        )
        for name, value in speeds.items()
    ]
    table(("recognition", "pieces/s", "words/s", "of the int8 ceiling", f"{first} is x times faster"), rows)
    figures = {
        "pieces_per_s": speeds[first],
        "words_per_s": speeds[first] * words,
        "ceiling_pieces_per_s": full,
        "share_of_int8_ceiling": speeds[first] / full,
        "vs_best_pipeline": faster(best_name),
        "vs_default_pipeline": faster(plain.name),
        "vs_int8_pipeline": faster(int8[0].name),
        "best_pipeline_pieces_per_s": speeds[best_name],
        "default_pipeline_pieces_per_s": speeds[plain.name],
        "int8_pipeline_pieces_per_s": speeds[int8[0].name],
    }
    for provider, name in ours.items():
        figures[f"{provider}_pieces_per_s"] = speeds[name]
        figures[f"{provider}_share_of_int8_ceiling"] = speeds[name] / full
        figures[f"{provider}_vs_best_pipeline"] = faster(best_name, name)
        figures[f"{provider}_vs_default_pipeline"] = faster(plain.name, name)
    if SPACY in speeds:
        figures["spacy_words_per_s"] = speeds[SPACY] * words
    return figures


def spacy_of(bench: Bench) -> Any:
    """A function that recognizes texts with spaCy, within the block; None where spaCy is not installed."""
    from contextlib import nullcontext

    if find_spec("spacy") is None:
        print("spaCy is not installed, so its row is left out: pip install 'viner[spacy]'")
        return nullcontext()
    from _spacy_pipeline import spacy_processes

    return spacy_processes(bench.recognizer.labels, cores())


def lone_sentence(bench: Bench) -> dict[str, float]:
    """Prints what one sentence costs; the figures."""
    pipe = documented_pipeline(bench.folder)
    calls = size(400, 20)
    found = {
        **{f"{name}_": (OURS[name], lone(bench, name, calls)) for name in bench.recognizers},
        "pipeline_": ("pipeline as documented", bench.latency(lambda text: pipe.run([text]), calls // 4)),
    }
    small = os.environ.get("VINER_BENCH_SMALL_MODEL")
    if small:
        other = Bench(Path(small), bench.texts)
        for name in other.recognizers:
            found[f"small_{name}_"] = (f"{OURS[name]}, {Path(small).name}", lone(other, name, calls))
    rows = [(name, latency.pieces, latency.p50, latency.p99) for name, latency in found.values()]
    table(("one sentence, warm", "pieces", "p50 ms", "p99 ms"), rows)
    for prefix in ("", "small_"):
        both = [found[key] for key in (f"{prefix}{name}_" for name in (ONNX_RUNTIME, OPENVINO)) if key in found]
        if both:
            found[prefix] = min(both, key=lambda one: one[1].p50)
    return {
        f"{key}one_sentence_{which}_ms": getattr(latency, which)
        for key, (_, latency) in found.items()
        for which in ("p50", "p99")
    }


def lone(bench: Bench, provider: str, calls: int) -> Latency:
    """What one sentence costs, once the provider has settled on a lone text."""
    recognizer = bench.recognizers[provider]
    recognizer(bench.texts[0])
    time.sleep(SETTLING if provider == OPENVINO else 0)
    return bench.latency(recognizer, calls)


def exactness(bench: Bench) -> dict[str, float]:
    """Prints how many entities are the same as in float32; the figures, of which the plain ones are the worse provider's."""
    exact = exact_recognizer(bench.folder)
    rows, figures = [], {}
    for texts in sets(size(2_000, 20), size(3_000, 20)):
        for name, recognizer in bench.recognizers.items():
            found = compare(exact, recognizer, texts)
            lost = "" if found.f1_lost is None else f"{found.f1_lost:+.4f}"
            share = "" if found.share is None else f"{found.share:.4f}"
            rows.append((texts.name, name, found.sentences, found.exact, found.found, found.same, share, lost))
            for key in (f"{name}_", *([] if name == CASCADE else [""])):
                if found.share is not None:
                    figures[f"{key}same_entities"] = min(found.share, figures.get(f"{key}same_entities", 1.0))
                if found.f1_lost is not None:
                    figures[f"{key}f1_lost"] = max(found.f1_lost, figures.get(f"{key}f1_lost", -1.0))
    head = (
        f"{bench.recognizer.engine} against fp32 in torch",
        "provider",
        "sentences",
        "entities",
        "found",
        "the same",
        "share",
        "F1 lost",
    )
    table(head, rows)
    return figures


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    bench = Bench(model_folder(), texts_at_hand(size(3_000, 40)))
    recognizer = bench.recognizer
    print(f"{processor()}, {cores()} cores; torch {torch.__version__}, {torch.get_num_threads()} threads")
    cost = bench.operations / 1e6
    print(f"{bench.folder}: {recognizer.engine}, {cost:.1f} million operations a piece")
    print(f"{len(bench.texts):,} texts, {bench.pieces(bench.texts):,} pieces, {size(5, 1)} rounds\n")
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as scratch, torch.inference_mode():
        report({**speed(bench, Path(scratch)), **lone_sentence(bench), **exactness(bench)})


if __name__ == "__main__":
    sys.exit(main())
