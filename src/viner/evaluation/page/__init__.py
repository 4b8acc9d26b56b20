"""Errors as HTML: a page that stands alone, and its parts, of which the console makes a page of a project."""

from viner.evaluation.page.browse import browse_examples
from viner.evaluation.page.cases import browse_cases, versus_figures
from viner.evaluation.page.confidence import confidence_part
from viner.evaluation.page.report import curve_report, doubt_report, error_report, parts_style, write_report
from viner.evaluation.page.suspects import doubt_list
from viner.evaluation.page.tables import confusion_matrix, document_table, kind_table, length_table, surface_table

__all__ = [
    "browse_cases",
    "browse_examples",
    "confidence_part",
    "confusion_matrix",
    "curve_report",
    "document_table",
    "doubt_list",
    "doubt_report",
    "error_report",
    "kind_table",
    "length_table",
    "parts_style",
    "surface_table",
    "versus_figures",
    "write_report",
]
