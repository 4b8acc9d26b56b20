"""The schema lives: labels are renamed, merged, split, recolored, deleted in mid-project, as one event that can be taken back.

::

    change = Rename(label="PER", to="PERSON")
    print(preview(store, change).to_dict())
    apply(store, change, operation="0b9c…", who="lan", project=project)
    store.undo("0b9c…", new_id="71ad…", who="lan")
"""

from viner.annotation.changes.apply import StaleChangeError, apply
from viner.annotation.changes.kinds import (
    Add,
    Change,
    Delete,
    Describe,
    Merge,
    Recolor,
    Rename,
    Reorder,
    Split,
    change_from_dict,
)
from viner.annotation.changes.preview import Preview, Sample, Surface, preview

__all__ = [
    "Add",
    "Change",
    "Delete",
    "Describe",
    "Merge",
    "Preview",
    "Recolor",
    "Rename",
    "Reorder",
    "Sample",
    "Split",
    "StaleChangeError",
    "Surface",
    "apply",
    "change_from_dict",
    "preview",
]
