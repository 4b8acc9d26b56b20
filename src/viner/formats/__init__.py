"""Reading and writing files of documents. One format a file, one registry, all of them streaming."""

from viner.formats.files import Source
from viner.formats.format import Format
from viner.formats.names import distinct_stems, speakable, stem_of
from viner.formats.packing import unpacked_name
from viner.formats.registry import (
    detect,
    detect_source,
    format_of_ending,
    format_of_output,
    formats,
    get_format,
    options_of_reading,
    read,
    read_source,
    reads_name,
    write,
)
from viner.formats.report import Loss, WriteReport
from viner.formats.trail import Trail

__all__ = [
    "Format",
    "Loss",
    "Source",
    "Trail",
    "WriteReport",
    "detect",
    "detect_source",
    "distinct_stems",
    "format_of_ending",
    "format_of_output",
    "formats",
    "get_format",
    "options_of_reading",
    "read",
    "read_source",
    "reads_name",
    "speakable",
    "stem_of",
    "unpacked_name",
    "write",
]
