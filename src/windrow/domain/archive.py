"""A classifier as one file: what an export gives, what is asked of an import, and what that did.

Owns the values; knows nothing of the file's form.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from windrow.domain.classifier import Classifier
from windrow.domain.dataset import DataWarning


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """How an exported classifier is to be taken in.

    Args:
        model_name: Its name here; ``None`` keeps the one that it had.
        overwrite: Whether it may become the next revision of an existing name.
        dry_run: Check everything, and save nothing.
    """

    model_name: str | None = None
    overwrite: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """A classifier that was taken in, or would have been.

    Args:
        classifier: As it is saved here; in a dry run, as it would be.
        warnings: What a person should know, such as a base model that is not on this machine.
        is_saved: No in a dry run.
    """

    classifier: Classifier
    warnings: tuple[DataWarning, ...]
    is_saved: bool


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """A classifier as one file.

    Args:
        file_name: What to call it, such as ``ticket_classifier_v2.windrow``.
        size_bytes: Its size.
        chunks: Its bytes, in pieces, to be taken once.
    """

    file_name: str
    size_bytes: int
    chunks: Iterator[bytes]
