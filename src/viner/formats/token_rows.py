"""Rows that hold a sentence as a list of tokens and a list of tags, as the data sets of the Hugging Face Hub do.

Such a row has no text: it is rebuilt from the tokens as that of a CoNLL file is, unless the row gives it. Tags are names, or
numbers of names that stand elsewhere: in the metadata of a Parquet file, or in an option.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from viner.document import Document, Entity
from viner.errors import FormatError, InputError, UsageError
from viner.formats.conll.spacing import locate, rebuild
from viner.formats.conll.tags import Scheme, decode, odd_tags, split_tag

TOKENS = "tokens"
TAGS = ("ner_tags", "ner", "tags", "labels")
"""What the tags are called, the likeliest first."""
ODD = "odd_tags"
"""Key of ``meta`` for tags that break their scheme."""
_BARE = "IO"
_SHOWN = 30


@dataclass(frozen=True, slots=True)
class TokenRows:
    """How the rows of a file are read.

    Args:
        tags: What the tags are called; None takes the first of :data:`TAGS` that is a list.
        names: Names of tags that are numbers, in their order; None means that tags are names, or that the file tells theirs.
        scheme: "IO" if tags are bare labels without ``B-`` and the like.
        told: Names that the file tells, by what the tags are called.

    Raises:
        UsageError: If an option means nothing.
    """

    tags: str | None = None
    names: Sequence[str] | None = None
    scheme: Scheme | None = None
    told: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scheme not in (None, *get_args(Scheme)):
            raise UsageError(f"scheme must be one of {', '.join(get_args(Scheme))}, not {self.scheme!r}")
        if isinstance(self.names, str):
            object.__setattr__(self, "names", [self.names])

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is one of tokens, and says its entities by tags if at all."""
        return isinstance(row.get(TOKENS), list) and "entities" not in row

    def key(self, row: Mapping[str, Any]) -> str | None:
        """What the tags of a row are called; None if it has none."""
        return self.tags or next((name for name in TAGS if isinstance(row.get(name), list)), None)

    def document(
        self, row: Mapping[str, Any], where: str, default_id: str, plain: Callable[[Any], Any] = lambda value: value
    ) -> Document | FormatError:
        """The document of a row, or why there is none.

        Args:
            row: Its cells. What is neither text, tokens, tags nor id goes to ``meta``.
            where: ``file:line``.
            default_id: If it has none.
            plain: Makes a cell what JSON can hold.

        Tags that break their scheme are read as conlleval reads them, and told in ``meta`` under :data:`ODD`, each with the
        number of its token, from 0.
        """
        tokens = row[TOKENS]
        key = self.key(row)
        if self.tags is not None and not isinstance(row.get(self.tags), list):
            return FormatError(f"there is no list of tags called {self.tags!r}", where=where, hint=f"Keys: {_listed(row)}")
        for number, token in enumerate(tokens, 1):
            if not isinstance(token, str) or not token:
                what = "is empty" if token == "" else f"is no text but {token!r}"
                return FormatError(f"token {number} {what}", where=where, hint="Each token is some text")
        text, words = rebuild(tokens)
        given = row.get("text")
        if isinstance(given, str):
            found = locate(tokens, given)
            if found is None:
                return FormatError("its tokens are not those of its text", where=where, hint="Leave the text out, or mend it")
            text, words = given, found
        meta = {name: plain(value) for name, value in row.items() if name not in (TOKENS, key, "id", "text")}
        entities = None
        if key is not None:
            tags = self._tags(row[key], len(tokens), key, where)
            if isinstance(tags, FormatError):
                return tags
            scheme = self.scheme or "IOB2"
            spans = decode(tags, scheme)
            entities = [Entity(words[first][0], words[last - 1][1], label) for first, last, label in spans]
            if odd := [[number, tags[number], what] for number, what in odd_tags(tags, scheme)]:
                meta[ODD] = odd
        name = plain(row.get("id"))
        try:
            return Document(text, id=default_id if name is None else str(name), words=words, entities=entities, meta=meta)
        except InputError as error:
            return FormatError(error.message, where=where, hint=error.hint)

    def _tags(self, given: Sequence[Any], length: int, key: str, where: str) -> list[str] | FormatError:
        """The tags by name."""
        if len(given) != length:
            return FormatError(f"{length} tokens, but {len(given)} {key}", where=where, hint="Each token needs one tag")
        names = self.told.get(key) if self.names is None else self.names
        tags: list[str] = []
        for tag in given:
            if isinstance(tag, int) and not isinstance(tag, bool):
                if names is None:
                    return FormatError(
                        f"{key} are numbers, and nothing says what they stand for",
                        where=where,
                        hint="Name them in their order: --option names=O,B-PER,I-PER,…",
                    )
                if not 0 <= tag < len(names):
                    return FormatError(
                        f"{key} have the number {tag}, but there are {len(names)} names, from 0 on",
                        where=where,
                        hint="Name all of them: --option names=O,B-PER,I-PER,…",
                    )
                tag = names[tag]
            if not isinstance(tag, str) or split_tag(tag, self.scheme == _BARE) is None:
                return FormatError(
                    f"{key} hold {str(tag)[:_SHOWN]!r}, which is no tag",
                    where=where,
                    hint="Tags are O, B-LABEL, I-LABEL and the like; for bare labels: --option scheme=IO",
                )
            tags.append(tag)
        return tags


def _listed(row: Mapping[str, Any]) -> str:
    return ", ".join(map(str, row)) or "none"
