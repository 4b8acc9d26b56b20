"""The demo: a recognizer of epidemic reports from the bundled corpus, in a few minutes and with nothing fetched."""

from __future__ import annotations

from pathlib import Path

from viner.bundle import read_bundle
from viner.samples import corpus
from viner.workflow.progress import Report
from viner.workflow.train import train_model

BUDGET_MINUTES = 2.3
"""Time for training steps; loading, scoring and export come on top."""
LEAST_EPOCHS = 2
"""A machine too slow for that in the time takes longer: after fewer, the model finds next to nothing."""


def run_demo(out: str | Path = "viner-demo", *, report: Report | None = None) -> Path:
    """Trains on the bundled corpus, or finds the model that an earlier run left.

    Args:
        out: Folder of the demo; the model goes to ``OUT/model``.
        report: Where progress goes; None writes to stderr.

    Returns:
        The model folder.

    Raises:
        BundleError: If an earlier model is damaged, or the folder cannot be written.
    """
    report = report or Report()
    model = Path(out) / "model"
    if model.exists():
        figures = read_bundle(model).info.metrics.get("test")
        known = f" (test F1 {figures['micro']['f1']:.4f})" if figures else ""
        report.line(f"Using the model in {model}{known}; delete that folder to train again")
        return model
    sample = corpus()
    report.line(f"Training a recognizer on the bundled corpus '{sample.name}': about {BUDGET_MINUTES:.0f} minutes on two cores")
    return train_model(
        train=sample.train,
        dev=sample.dev,
        test=sample.test,
        out=model,
        schema=sample.schema(),
        source=sample.origin(),
        report=report,
        budget_minutes=BUDGET_MINUTES,
        least_epochs=LEAST_EPOCHS,
    )
