"""Reading and writing files of documents. One format a file, one registry, all of them streaming."""

from viner.formats.files import Source
from viner.formats.format import Format
from viner.formats.registry import detect, formats, get_format, read, write
from viner.formats.report import Loss, WriteReport

__all__ = ["Format", "Loss", "Source", "WriteReport", "detect", "formats", "get_format", "read", "write"]
