"""Rules: dictionaries and patterns. They suggest while people annotate, and recognize beside a model where they are told to."""

from viner.rules.recognition import RecognitionRules
from viner.rules.ruled import RuledRecognizer, with_rules
from viner.rules.rules import Rules

__all__ = ["RecognitionRules", "RuledRecognizer", "Rules", "with_rules"]
