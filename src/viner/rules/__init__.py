"""Rules: dictionaries and patterns. They suggest while people annotate, and recognize beside a model where they are told to."""

from viner.rules.recognition import RecognitionRules
from viner.rules.ruled import RuledRecognizer, everything, rules_beside, with_rules
from viner.rules.rules import Rules
from viner.rules.toml import rules_toml

__all__ = ["RecognitionRules", "RuledRecognizer", "Rules", "everything", "rules_beside", "rules_toml", "with_rules"]
