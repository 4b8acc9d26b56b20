"""The model folder: read, write, check, versions. What is in it: ARCHITECTURE.md, "The model folder".

``read_bundle(path)`` checks a folder and returns a :class:`Bundle`; :class:`BundleWriter` makes one. Bundles neither contain
nor load pickle.
"""

from viner.bundle.bundle import WEIGHTS, Bundle, find_bundle, read_bundle, rebuilt_graph
from viner.bundle.canaries import Canaries, processor
from viner.bundle.home import home
from viner.bundle.hub import download, is_hub_id
from viner.bundle.info import BundleInfo, FileRecord, Head, Windows
from viner.bundle.origin import BUNDLED_BASE, Chosen, Origin, base_origin, data_origin
from viner.bundle.revise import copy_bundle, revise
from viner.bundle.segmenter import SegmenterRecord
from viner.bundle.writer import BundleWriter

__all__ = [
    "BUNDLED_BASE",
    "WEIGHTS",
    "Bundle",
    "BundleInfo",
    "BundleWriter",
    "Canaries",
    "Chosen",
    "FileRecord",
    "Head",
    "Origin",
    "SegmenterRecord",
    "Windows",
    "base_origin",
    "copy_bundle",
    "data_origin",
    "download",
    "find_bundle",
    "home",
    "is_hub_id",
    "processor",
    "read_bundle",
    "rebuilt_graph",
    "revise",
]
