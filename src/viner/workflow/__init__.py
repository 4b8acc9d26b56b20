"""Train, evaluate, export, quantize, choose, card: what `viner train` and the console both call."""

from viner.workflow.demo import run_demo
from viner.workflow.progress import Report
from viner.workflow.train import train_model

__all__ = ["Report", "run_demo", "train_model"]
