"""A classifier as it travels to processes on other machines, which open it in a data directory of their own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from windrow.operations import Operations


@dataclass(frozen=True, slots=True)
class ExportedClassifier:
    """A classifier in Windrow's own format, and how it is to be used."""

    archive: bytes
    """What ``Operations.export`` gives."""
    base_model: str
    """The id of its base model."""
    base_model_folder: Path | None
    """Where this machine has that; ``None`` for the one that came with Windrow."""
    threads: int
    """How many threads encode texts."""
    max_text_chars: int
    """The longest text that is taken."""


# Opens the verbs on an exported classifier until the block ends. Other processes find the function by its name.
OpenExported = Callable[[ExportedClassifier], AbstractContextManager[Operations]]


def name_of(open_exported: OpenExported) -> str:
    """Return by what name another process finds a function of a module."""
    return f"{open_exported.__module__}:{open_exported.__qualname__}"
