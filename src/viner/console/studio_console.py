"""The console of a project in one language: a route for each page, so that every page has its own address."""

from __future__ import annotations

from viner.console.blocks import ConsoleBlocks
from viner.console.documents_page import DocumentsPage
from viner.console.errors_page import ErrorsPage
from viner.console.labels_page import LabelsPage
from viner.console.messages import Messages
from viner.console.page import FORGET_AFTER, SWEEP_EVERY
from viner.console.recognize_page import StudioRecognizePage
from viner.console.studio import StudioLike
from viner.console.train_page import TrainPage


def build_studio_console(studio: StudioLike, language: str) -> ConsoleBlocks:
    """The pages Documents (at the root), Train, Errors, Labels and Recognize.

    Args:
        studio: The project at work; asked from worker threads.
        language: One of :data:`viner.languages.LANGUAGES`.
    """
    say = Messages(language)
    with ConsoleBlocks(title="viner", analytics_enabled=False, delete_cache=(SWEEP_EVERY, FORGET_AFTER)) as blocks:
        DocumentsPage(studio, say).build(blocks)
    for page in (TrainPage(studio, say), ErrorsPage(studio, say), LabelsPage(studio, say), StudioRecognizePage(studio, say)):
        with blocks.route(say(page.key), page.key) as route:
            page.build(route)
    return blocks
