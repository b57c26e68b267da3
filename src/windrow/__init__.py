"""Windrow: train, keep and serve few-shot text classifiers on one small machine."""

__version__ = "0.1.0"
