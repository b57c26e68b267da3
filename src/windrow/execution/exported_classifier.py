"""A classifier as it travels to processes on other machines, which open it in a data directory of their own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
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


# Opens the verbs on an exported classifier until the block ends.
OpenExported = Callable[[ExportedClassifier], AbstractContextManager[Operations]]
# What wires everything together stands above whoever sends a classifier, so other processes find it by its name.
_OPENER = ("windrow.bootstrap", "open_exported")


def find_opener() -> OpenExported:
    """Return what opens an exported classifier, for the main function of a process that has been sent one."""
    module, name = _OPENER
    opener: OpenExported = getattr(import_module(module), name)
    return opener
