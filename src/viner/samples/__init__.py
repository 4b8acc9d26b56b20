"""Corpora written for viner, so that a first recognizer can be trained with nothing fetched."""

from viner.samples.corpus import SPLITS, Corpus, corpora, corpus

__all__ = ["SPLITS", "Corpus", "corpora", "corpus"]
