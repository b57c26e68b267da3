"""Export and import of a classifier as one file: the requests and results."""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, get_args

from windrow.domain.classifier import Classifier
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter
from windrow.domain.file_reply import FileReply
from windrow.domain.names import ModelReference, Name

ExportForm = Literal["windrow", "onnx"]
EXPORT_FORMS: Final[tuple[ExportForm, ...]] = get_args(ExportForm)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A classifier to give away as a file."""

    model_name: ModelReference
    """The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version."""
    include_training_data: bool = field(default=False, kw_only=True)
    """Whether the training texts go along; otherwise none of them is in the file."""
    to: ExportForm = field(default="windrow", kw_only=True)
    """``windrow`` for a file that Windrow imports, ``onnx`` for a zip that answers without Windrow: one ONNX graph from
    token ids to scores, the tokenizer, the labels, and a short program.
    """

    @property
    def suffix(self) -> str:
        """How the file's name ends."""
        return Export.suffix if self.to == "windrow" else ".onnx.zip"


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
    """A classifier as one file, called like ``ticket_classifier_v2.windrow`` or ``ticket_classifier_v2.onnx.zip``."""

    media_types: ClassVar[tuple[str, ...]] = ("application/zip", "application/octet-stream")
    """What it is, and what may be said of it besides."""
    suffix: ClassVar[str] = ".windrow"
    """How its name ends."""


def check_export_request(request: ExportRequest) -> None:
    """Refuse an export of a form that there is not, or of training rows in a form that has no place for them.

    Raises:
        InvalidParameter: It is one.
    """
    if request.to not in EXPORT_FORMS:
        raise InvalidParameter(
            "{arg:to} is {value!r}, which is no form of an export. {Send} one of {allowed:joined}.",
            {"parameter": "to", "value": request.to, "allowed": EXPORT_FORMS},
        )
    if request.to == "onnx" and request.include_training_data:
        raise InvalidParameter(
            "An export to ONNX holds no training data. Leave out {arg:include_training_data}, or export a second file "
            "without {arg:to}.",
            {"parameter": "include_training_data"},
        )
