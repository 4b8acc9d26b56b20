"""HTML: a page of its own on which people read annotated documents. Written only."""

from viner.formats.html.page import FORMAT

__all__ = ["FORMAT"]
