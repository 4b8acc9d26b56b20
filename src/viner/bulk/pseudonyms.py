"""Names that stand for others: the same for the same, and nobody without the key can tell for what."""

from __future__ import annotations

import base64
import hashlib
import hmac

from viner.bulk.occurrences import same_name
from viner.errors import UsageError

LETTERS = 16
"""Letters and digits of a pseudonym, 5 bits each: among a million different surfaces, two share one with a probability of
4 in 10^13, among a billion 4 in 10^7 (n² / 2^81)."""
SHORTEST_KEY = 16
"""Bytes of a key. Who can guess the key can try names until one has the pseudonym."""


class Pseudonyms:
    """Makes pseudonyms by HMAC-SHA256 (RFC 2104), so that nothing has to be remembered.

    Args:
        key: The secret. Runs with the same key give the same pseudonyms.

    Raises:
        UsageError: If the key is shorter than :data:`SHORTEST_KEY` bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < SHORTEST_KEY:
            raise UsageError(
                f"a key has at least {SHORTEST_KEY} bytes, not {len(key)}",
                hint="Make one: python -c 'import secrets; print(secrets.token_hex(32))' > key.txt",
            )
        self._key = key

    def of(self, label: str, surface: str) -> str:
        """The pseudonym of a surface with a label, such as ``PERSON_5XQ2MZ7KWN3TCVRA``.

        Spellings of the same characters (NFC, NFD), the place of tone marks (*Hoà*, *Hòa*) and line breaks in the place of
        spaces make no difference.
        """
        message = f"{label}\0{same_name(surface)}".encode()
        code = base64.b32encode(hmac.digest(self._key, message, hashlib.sha256))
        return f"{label}_{code[:LETTERS].decode()}"

    def fingerprint(self) -> str:
        """Tells keys apart without telling them."""
        return hmac.digest(self._key, b"viner: which key is this?", hashlib.sha256).hex()[:16]


def pattern(label: str) -> str:
    """A regular expression for the pseudonyms of a label."""
    import re

    return rf"{re.escape(label)}_[A-Z2-7]{{{LETTERS}}}"
