"""Builds the bundled base encoder: packs a Hugging Face folder into src/viner/base/weights, with nothing lost.

Usage: python scripts/build_base.py FOLDER

The folder holds config.json, model.safetensors (fp16), tokenizer.json and tokenizer_config.json. Matrices that are of the 4-bit
block form are stored that way, everything else as it is. The result is unpacked again and compared before it replaces the old.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
import tempfile
from pathlib import Path

from safetensors.numpy import load_file, save

from viner.base import blocks, bundled

LIMIT = 22_000_000
"""Bytes that the package may spend on the encoder."""


def build(source: Path, target: Path) -> int:
    """Packs ``source`` into ``target`` and returns the bytes of all files."""
    target.mkdir(parents=True, exist_ok=True)
    tensors, columns = {}, {}
    for name, tensor in load_file(source / "model.safetensors").items():
        packed = blocks.pack(tensor) if tensor.dtype == "float16" else None
        if packed is None:
            tensors[name] = tensor
        else:
            tensors[name + bundled.QUANTS], tensors[name + bundled.SCALES] = packed
            columns[name] = tensor.shape[1]
    (target / bundled.MATRICES).write_bytes(save(tensors))
    tokenizer = (source / "tokenizer.json").read_bytes()
    (target / bundled.TOKENIZER).write_bytes(lzma.compress(tokenizer, preset=9 | lzma.PRESET_EXTREME))
    for name in bundled.PLAIN:
        (target / name).write_bytes((source / name).read_bytes())
    files = {name: (source / name).read_bytes() for name in (*bundled.PLAIN, "model.safetensors", "tokenizer.json")}
    manifest = {
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in sorted(files.items())
        },
        "columns": columns,
    }
    (target / bundled.MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return sum(file.stat().st_size for file in target.iterdir())


def main() -> None:
    """Builds, unpacks, compares; leaves the old weights alone if anything differs."""
    source = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
    final = bundled.WEIGHTS
    with tempfile.TemporaryDirectory(dir=final.parent) as scratch:
        bundled.WEIGHTS = Path(scratch) / "weights"
        size = build(source, bundled.WEIGHTS)
        if size > LIMIT:
            sys.exit(f"{size:,} bytes, and the limit is {LIMIT:,}")
        bundled.unpack(Path(scratch) / "unpacked")  # compares every hash
        final.mkdir(exist_ok=True)
        for file in bundled.WEIGHTS.iterdir():
            file.replace(final / file.name)
    print(f"{final}: {size:,} bytes")


if __name__ == "__main__":
    main()
