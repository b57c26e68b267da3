"""A training on a file as Python asks for it: which rows are trained on, and which it is evaluated on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, cast

from windrow.domain.classifier import MAX_DESCRIPTION_CHARS, FitRequest, FitResult
from windrow.domain.dataset import DataWarning
from windrow.domain.file_fit import FileFit
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.read_options import LabelledReadOptions, Split, check_read_options
from windrow.domain.report import EvaluateRequest, Report
from windrow.domain.values import recast
from windrow.session.arguments import check_known, request_of
from windrow.session.inspecting import AnyFile, InspectOptions
from windrow.session.reading_examples import READING, read_any_file

_TRAINING: Final = tuple(each.name for each in fields(FitRequest) if each.name not in ("model_name", "training_data"))


@dataclass(frozen=True, slots=True)
class FileTraining:
    """What is to be done for a file."""

    request: FitRequest
    """The training."""
    test: tuple[LabelledRow, ...] = ()
    """The rows that the file has for testing."""
    warnings: tuple[DataWarning, ...] = ()
    """What to know about the rows that are left out."""

    def evaluation_of(self, result: FitResult) -> EvaluateRequest | None:
        """Return the evaluation of what was trained; ``None`` without rows for that."""
        return EvaluateRequest(f"{result.model_name}@{result.revision}", self.test) if self.test else None

    def reply(self, result: FitResult, evaluation: Report | MultiLabelReport | None) -> FileFit:
        """Return all that became of it."""
        warned = replace(result, warnings=(*result.warnings, *self.warnings))
        return recast(FileFit, warned, evaluation=evaluation)


def file_training_of(
    model_name: str, file: AnyFile, splits: Iterable[Split], options: Mapping[str, Any], *, skip_bad_rows: bool = False
) -> FileTraining:
    """Read a file, and return the training on it.

    Args:
        model_name: The classifier's name.
        file: The file.
        splits: The parts of the data to train on; none for train and validation.
        options: Those of reading and of the training.
        skip_bad_rows: Whether rows that are wrong are left out.

    Raises:
        TypeError: An option is unknown.
        InvalidInput: An option is wrong, or the file is.
    """
    check_known("fit_file", options, (*READING, *_TRAINING))
    parts = (splits,) if isinstance(splits, str) else tuple(splits)
    check_read_options(LabelledReadOptions(splits=cast(tuple[Split, ...], parts)))
    reading = cast(InspectOptions, {name: options[name] for name in options if name in READING})
    read = read_any_file(file, reading, skip_bad_rows=skip_bad_rows)
    train, test = read.for_training(cast(tuple[Split, ...], parts))
    given = {name: value for name, value in options.items() if name in _TRAINING}
    if given.get("description") is None and read.description:
        given["description"] = read.description[:MAX_DESCRIPTION_CHARS]
    rows = tuple(each.row for each in train.examples)
    request = request_of(FitRequest, {"model_name": model_name, **given}, training_data=rows)
    tested = () if test is None else tuple(each.row for each in test.examples)
    return FileTraining(request, tested, read.warnings())
