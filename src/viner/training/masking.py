"""Texts without annotations as an encoder learns from them: passages, and words in them that are hidden and to be guessed."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viner.encoding import EncodedText, PieceEncoder, side_by_side
from viner.encoding.phobert import PHOBERT_TOKENS
from viner.encoding.tokenizer import load_tokenizer
from viner.errors import BundleError

_HIDDEN, _REPLACED = 0.8, 0.9
"""Upper ends of the shares of the chosen words that go behind the mask piece, and that random pieces replace; the rest stay."""
_USUAL_NAMES = ("<mask>", "[MASK]")


class Passages:
    """Sequences of pieces, none longer than what the encoder reads at once. One that is there already is not kept twice.

    They lie in flat arrays: five bytes a piece, and about a hundred a passage.

    Args:
        capacity: Pieces of the longest passage, without special pieces.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pieces, self._begins, self._bounds = array("i"), bytearray(), array("q", [0])
        self._digests: dict[bytes, None] = {}
        self._hash = hashlib.sha256()
        self.words = 0
        """Words of all passages."""
        self.repeated = 0
        """Passages that were there already."""

    def add(self, encoded: EncodedText) -> None:
        """Takes a text, in as many passages as it needs; none is cut within a word."""
        offsets, words = encoded.offsets, len(encoded.offsets) - 1
        first = 0
        while first < words:
            last = int(np.searchsorted(offsets, offsets[first] + self._capacity, side="right")) - 1
            self._add(encoded.pieces[offsets[first] : offsets[last]], offsets[first:last] - offsets[first])
            first = last

    def _add(self, pieces: NDArray[np.int32], first: NDArray[np.int32]) -> None:
        begins = np.zeros(len(pieces), dtype=np.uint8)
        begins[first] = 1
        digest = hashlib.blake2b(pieces.tobytes() + begins.tobytes(), digest_size=16).digest()
        if digest in self._digests:
            self.repeated += 1
            return
        self._digests[digest] = None
        self._hash.update(digest)
        self._pieces.frombytes(pieces.astype(np.intc).tobytes())
        self._begins += begins.tobytes()
        self._bounds.append(len(self._pieces))
        self.words += len(first)

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @property
    def pieces(self) -> int:
        """Pieces of all passages, without special pieces."""
        return len(self._pieces)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Pieces of each. *Shape:* (passages,)."""
        bounds = np.frombuffer(self._bounds, dtype=np.int64)
        return bounds[1:] - bounds[:-1]

    def counts(self, vocabulary: int) -> Tensor:
        """How often each piece occurs. *Shape:* (vocabulary,), float32."""
        pieces = np.frombuffer(self._pieces, dtype=np.intc)
        return torch.from_numpy(np.bincount(pieces, minlength=vocabulary).astype(np.float32))

    @property
    def sha256(self) -> str:
        """Fingerprint of all passages in their order."""
        return self._hash.hexdigest()

    def __getitem__(self, index: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Pieces, and for each whether a word begins there. *Shape:* (pieces,) each."""
        begin, end = self._bounds[index], self._bounds[index + 1]
        return (
            np.frombuffer(self._pieces[begin:end], dtype=np.int32),
            np.frombuffer(bytes(self._begins[begin:end]), dtype=np.uint8),
        )

    def split(self, share: float, most: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices of the passages to learn from, and of those to set aside; which depends on their content and the seed alone.

        Args:
            share: Share of the passages to set aside, in (0, 1); at least one.
            most: At most so many.
            seed: Draws them.
        """
        key = seed.to_bytes(8, "little")
        ranks = [hashlib.blake2b(digest, digest_size=8, key=key).digest() for digest in self._digests]
        order = np.array(sorted(range(len(ranks)), key=ranks.__getitem__), dtype=np.int64)
        count = min(max(1, round(share * len(order))), most)
        return np.sort(order[count:]), np.sort(order[:count])


@dataclass(frozen=True, slots=True)
class MaskedBatch:
    """Passages side by side, some of whose words are to be guessed.

    Args:
        input_ids: *Shape:* (batch, pieces).
        attention_mask: *Shape:* (batch, pieces).
        positions: Where a piece is to be guessed: indices in the flattened batch. *Shape:* (guesses,).
        targets: The pieces that stood there. *Shape:* (guesses,).
        pieces: Number of pieces without padding.
    """

    input_ids: Tensor
    attention_mask: Tensor
    positions: Tensor
    targets: Tensor
    pieces: int

    def to(self, device: torch.device) -> MaskedBatch:
        """The batch on a device."""
        return MaskedBatch(
            self.input_ids.to(device),
            self.attention_mask.to(device),
            self.positions.to(device),
            self.targets.to(device),
            self.pieces,
        )


class Masker:
    """Hides whole words, anew each time it is asked.

    Of the chosen words four fifths are hidden behind the mask piece, a tenth gets random pieces in its place, and a tenth stays
    (Devlin et al., 2019); all pieces of a word share its lot (whole-word masking). Words that the tokenizer does not know are
    never chosen: there is nothing to guess.

    Args:
        encoder: Cuts words into pieces.
        folder: Folder of the base, whose tokenizer says which piece is the mask.
        share: Share of the words that are chosen.

    Raises:
        BundleError: If the tokenizer has no mask piece.
    """

    def __init__(self, encoder: PieceEncoder, folder: Path, share: float) -> None:
        self._encoder = encoder
        self._share = share
        rules = encoder.rules()
        size = load_tokenizer(folder).get_vocab_size()
        size = min(size, rules.vocabulary)
        self.mask = mask_piece(folder, size)
        self._unknown = rules.unknown
        special = {*rules.forbidden, *encoder.prefix, *encoder.suffix, encoder.pad, self.mask, rules.unknown}
        self._ordinary = np.array([piece for piece in range(size) if piece not in special], dtype=np.int32)

    def hide(
        self, pieces: NDArray[np.int32], begins: NDArray[np.uint8], rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Chooses words, and hides them.

        Args:
            pieces: *Shape:* (pieces,).
            begins: Whether a word begins at a piece. *Shape:* (pieces,).
            rng: Draws everything.

        Returns:
            The pieces with the chosen words hidden, and which ones are to be guessed. *Shape:* (pieces,) each.
        """
        word = np.cumsum(begins) - 1
        words = int(word[-1]) + 1
        known = np.ones(words, dtype=bool)
        known[word[pieces == self._unknown]] = False
        chosen = ((rng.random(words) < self._share) & known)[word]
        lot = rng.random(words)[word]
        changed = pieces.copy()
        changed[chosen & (lot < _HIDDEN)] = self.mask
        replaced = chosen & (lot >= _HIDDEN) & (lot < _REPLACED)
        changed[replaced] = rng.choice(self._ordinary, int(replaced.sum()))
        return changed, chosen

    def batch(self, passages: Passages, indices: Sequence[int] | NDArray[np.int64], rng: np.random.Generator) -> MaskedBatch:
        """Passages side by side with words hidden; there may be none to guess where texts are few and short."""
        shown, positions, targets = [], [], []
        parts = [passages[int(index)] for index in indices]
        width = max(len(pieces) for pieces, _ in parts) + len(self._encoder.prefix) + len(self._encoder.suffix)
        for row, (pieces, begins) in enumerate(parts):
            changed, chosen = self.hide(pieces, begins, rng)
            shown.append(changed)
            positions.append(np.flatnonzero(chosen) + row * width + len(self._encoder.prefix))
            targets.append(pieces[chosen])
        ids, mask = side_by_side(shown, self._encoder)
        return MaskedBatch(
            torch.from_numpy(ids),
            torch.from_numpy(mask),
            torch.from_numpy(np.concatenate(positions)),
            torch.from_numpy(np.concatenate(targets).astype(np.int64)),
            int(mask.sum()),
        )


def mask_piece(folder: Path, vocabulary: int) -> int:
    """The id of the piece behind which a base hides words.

    Args:
        folder: Folder of the base.
        vocabulary: Pieces that it has embeddings for.

    Raises:
        BundleError: If its tokenizer has none.
    """
    tokenizer = load_tokenizer(folder)
    for name in (*_declared(folder), PHOBERT_TOKENS["mask_token"], *_USUAL_NAMES):
        piece = tokenizer.token_to_id(name)
        if piece is not None and piece < vocabulary:
            return int(piece)
    raise BundleError(
        "the tokenizer of the base has no mask piece, behind which words could be hidden",
        where=folder,
        hint="Train without --adapt, or take a base that was trained by masked language modeling, such as xlm-roberta-base",
    )


def _declared(folder: Path) -> list[str]:
    """What the tokenizer's own files call the mask piece."""
    names = []
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        try:
            name = json.loads((folder / file).read_text(encoding="utf-8")).get("mask_token")
        except (OSError, ValueError, AttributeError):
            continue
        name = name.get("content") if isinstance(name, dict) else name
        if isinstance(name, str):
            names.append(name)
    return names
