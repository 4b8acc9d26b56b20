"""A project: one task's folder with its texts, annotations, models and settings."""

from viner.project.project import Project
from viner.project.rules import Dictionary, Pattern
from viner.project.settings import ORDERS, AnnotationSettings, ProjectSettings

__all__ = ["ORDERS", "AnnotationSettings", "Dictionary", "Pattern", "Project", "ProjectSettings"]
