"""The annotation page: static JavaScript modules, without a build step."""

from viner.annotator.page import page, static_folder

__all__ = ["page", "static_folder"]
