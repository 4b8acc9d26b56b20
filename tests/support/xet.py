"""The storage behind the Hub, as huggingface_hub's xet client sees it: xorbs of compressed chunks, and shards that say which
chunks make which file.

Formats: https://huggingface.co/docs/xet (xorb.md, shard.md, api.md). Everything that is uploaded is unpacked, and a file counts
only if its bytes have the SHA-256 that its shard names.
"""

from __future__ import annotations

import hashlib
import struct

_HASH, _ENTRY = 32, 48
_SHARD_MAGIC = b"HFRepoMetaData\0" + bytes([85, 105, 103, 69, 106, 123, 129, 87, 131, 165, 189, 217, 92, 205, 209, 74, 169])
_BOOKEND = b"\xff" * _HASH
_WITH_VERIFICATION, _WITH_SHA256 = 1 << 31, 1 << 30


class Xet:
    """Xorbs by their hash, and files by their SHA-256."""

    def __init__(self) -> None:
        self.xorbs: dict[str, list[bytes]] = {}
        self.files: dict[str, bytes] = {}

    def add_xorb(self, name: str, data: bytes) -> bool:
        """Stores a xorb; False if it was there."""
        chunks = unpack_xorb(data)
        new = name not in self.xorbs
        self.xorbs[name] = chunks
        return new

    def add_shard(self, data: bytes) -> list[str]:
        """Puts together the files of a shard and returns their SHA-256."""
        added = []
        for sha256, terms in read_shard(data):
            content = b"".join(b"".join(self.xorbs[xorb][start:end]) for xorb, start, end in terms)
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ValueError(f"the shard says {sha256}, and its chunks are something else")
            self.files[sha256] = content
            added.append(sha256)
        return added


def unpack_xorb(data: bytes) -> list[bytes]:
    """The chunks of a xorb."""
    chunks, at = [], 0
    while at < len(data) and data[at] == 0:  # the version; a footer, if there is one, begins with letters
        packed = int.from_bytes(data[at + 1 : at + 4], "little")
        kind = data[at + 4]
        size = int.from_bytes(data[at + 5 : at + 8], "little")
        content = data[at + 8 : at + 8 + packed]
        if kind == 1:
            content = unpack_lz4_frame(content)
        elif kind == 2:
            content = _ungroup(unpack_lz4_frame(content))
        elif kind != 0:
            raise ValueError(f"unknown compression {kind}")
        if len(content) != size:
            raise ValueError(f"a chunk has {len(content)} bytes instead of {size}")
        chunks.append(content)
        at += 8 + packed
    return chunks


def read_shard(data: bytes) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """For each file of a shard its SHA-256, and of each of its parts the xorb with the range of chunks."""
    if not data.startswith(_SHARD_MAGIC):
        raise ValueError("no shard")
    files, at = [], _ENTRY
    while data[at : at + _HASH] != _BOOKEND:
        flags, count = struct.unpack_from("<II", data, at + _HASH)
        if not flags & _WITH_SHA256:
            raise ValueError("the shard names no SHA-256")
        entries = range(at + _ENTRY, at + _ENTRY * (1 + count), _ENTRY)
        terms = [(_hex(data[entry : entry + _HASH]), *struct.unpack_from("<II", data, entry + 40)) for entry in entries]
        at += _ENTRY * (1 + count * (2 if flags & _WITH_VERIFICATION else 1))
        files.append((_hex(data[at : at + _HASH]), terms))
        at += _ENTRY
    return files


def _hex(value: bytes) -> str:
    """A hash as xet writes it: four little-endian numbers."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", value))


def _ungroup(data: bytes) -> bytes:
    """Undoes the grouping of every fourth byte."""
    whole, rest = divmod(len(data), 4)
    result, at = bytearray(len(data)), 0
    for offset in range(4):
        count = whole + (offset < rest)
        result[offset::4] = data[at : at + count]
        at += count
    return bytes(result)


def unpack_lz4_frame(data: bytes) -> bytes:
    """Unpacks an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md)."""
    if data[:4] != b"\x04\x22\x4d\x18":
        raise ValueError("no LZ4 frame")
    flags, at = data[4], 7
    at += 8 if flags & 0x08 else 0
    result = bytearray()
    while size := int.from_bytes(data[at : at + 4], "little"):
        at += 4
        block = data[at : at + (size & 0x7FFFFFFF)]
        at += len(block) + (4 if flags & 0x10 else 0)
        if size >> 31:
            result += block
        else:
            _unpack_block(block, result)
    return bytes(result)


def _unpack_block(block: bytes, result: bytearray) -> None:
    at = 0

    def length(start: int) -> int:
        nonlocal at
        if start < 15:
            return start
        while True:
            more = block[at]
            at += 1
            start += more
            if more < 255:
                return start

    while at < len(block):
        token = block[at]
        at += 1
        literals = length(token >> 4)
        result += block[at : at + literals]
        at += literals
        if at >= len(block):
            return
        distance = int.from_bytes(block[at : at + 2], "little")
        at += 2
        count = length(token & 15) + 4
        begin = len(result) - distance
        while count:
            part = bytes(result[begin : begin + min(count, distance)])
            result += part
            count -= len(part)
