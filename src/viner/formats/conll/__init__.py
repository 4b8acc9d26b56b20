"""CoNLL: a token a line, columns, blank lines between sentences; a family of dialects rather than one format."""

from viner.formats.conll.layout import Layout, looks_like_conll
from viner.formats.conll.reader import read
from viner.formats.conll.tags import Scheme, decode, encode
from viner.formats.conll.writer import write
from viner.formats.format import Format

__all__ = ["FORMAT", "Layout", "Scheme", "decode", "encode"]

FORMAT = Format(
    "conll",
    "columns with IOB1, IOB2, IOBES, BILOU or bare tags, found out",
    (".conll", ".iob2", ".iob", ".bio", ".tsv", ".conllu", ".conll03"),
    looks_like_conll,
    read,
    write,
)
