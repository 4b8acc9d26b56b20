"""The annotation page: static JavaScript modules, without a build step."""

from viner.annotator.page import LANGUAGES, page, static_folder

__all__ = ["LANGUAGES", "page", "static_folder"]
