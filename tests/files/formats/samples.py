"""The samples of all formats: each module of tests of a format has its own as ``SAMPLES``, by the format's name."""

from importlib import import_module
from pathlib import Path

from tests.files.formats.reading import Sample


def all_samples() -> dict[str, tuple[Sample, ...]]:
    """Return the samples of each format that has some, from the modules ``*_samples.py`` beside this one."""
    found: dict[str, tuple[Sample, ...]] = {}
    for module in sorted(Path(__file__).parent.glob("*_samples.py")):
        found |= import_module(f"tests.files.formats.{module.stem}").SAMPLES
    return found
