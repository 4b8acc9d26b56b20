"""Recognition of many documents: files in, one file out, in constant memory, and a run that was killed goes on.

from viner import load
from viner.bulk import Job

report = Job(load("models/003"), ["notes/", "more/*.csv.gz"], "out.parquet", errors="errors.jsonl").run()
"""

from viner.bulk.inputs import Inputs, find_inputs
from viner.bulk.job import Job, Report
from viner.bulk.progress import Progress
from viner.bulk.redaction import Redactor
from viner.bulk.steps import Step

__all__ = ["Inputs", "Job", "Progress", "Redactor", "Report", "Step", "find_inputs"]
