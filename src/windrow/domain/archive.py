"""Export and import of a classifier as one file: the requests and results."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from windrow.domain.classifier import Classifier
from windrow.domain.dataset import DataWarning
from windrow.domain.file_reply import FileReply
from windrow.domain.names import ModelReference, Name


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A classifier to give away as a file."""

    model_name: ModelReference
    """The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version."""
    include_training_data: bool = field(default=False, kw_only=True)
    """Whether the training texts go along; otherwise none of them is in the file."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """How an exported classifier is to be taken in."""

    model_name: Name | None = None
    """Its name here; left out, it keeps the one that it had."""
    overwrite: bool = field(default=False, kw_only=True)
    """Whether it may become the next revision of an existing name."""
    dry_run: bool = field(default=False, kw_only=True)
    """Whether to check everything and save nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported(Classifier):
    """A classifier that was taken in, as it is saved here; in a dry run, as it would be."""

    status: Literal["imported", "dry_run"]
    """``imported``, or ``dry_run`` where nothing was saved."""
    import_warnings: tuple[DataWarning, ...]
    """What a person should know, such as a base model that is not on this machine."""


@dataclass(frozen=True, slots=True, eq=False)
class Export(FileReply):
    """A classifier as one file, called like ``ticket_classifier_v2.windrow``."""

    media_types: ClassVar[tuple[str, ...]] = ("application/zip", "application/octet-stream")
    """What it is, and what may be said of it besides."""
    suffix: ClassVar[str] = ".windrow"
    """How its name ends."""
