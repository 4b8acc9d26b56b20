"""The bundled base encoder, and where any other base comes from.

``resolve(None)`` is the encoder that ships with viner, so that training works with no model hub in reach; ``resolve("folder")``
and ``resolve("user/name@revision")`` take any encoder that Transformers knows.
"""

from viner.base.bundled import unpack
from viner.base.identity import identity
from viner.base.origin import origin
from viner.base.resolve import resolve

__all__ = ["identity", "origin", "resolve", "unpack"]
