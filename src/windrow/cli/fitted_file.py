"""What a training takes from a file beside its rows: descriptions, and the rows that it is evaluated on."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from windrow.cli.call import Call
from windrow.cli.formats import listed, one_line
from windrow.cli.label_descriptions import DescribedLabels, read_descriptions
from windrow.cli.labelled_file import FileRows
from windrow.cli.output import notes_console
from windrow.domain.classifier import MAX_DESCRIPTION_CHARS, FitRequest, FitResult
from windrow.domain.errors import WindrowError
from windrow.domain.file_fit import FileFit
from windrow.domain.report import EvaluateRequest
from windrow.domain.values import recast

if TYPE_CHECKING:
    from windrow.operations import Operations

_DATA: Final = "training_data"
_SHOWN_CHARS: Final = 80


def described_labels(call: Call, options: DescribedLabels) -> dict[str, str] | None:
    """Return the descriptions of labels that the user gave; where there are none, say which the file has.

    Raises:
        InvalidParameter: As ``read_descriptions``.
        InvalidJson: As there.
    """
    call.words.options["label_descriptions"] = "--label-description"
    given, file = read_descriptions(options), call.words.files.get(_DATA)
    if given is None and file is not None and file.label_descriptions:
        labels = listed(tuple(file.label_descriptions))
        notes_console().print(
            f"{file.name} says what labels mean ({labels}); teach that with --label-description LABEL=TEXT."
        )
    return given


def described_by_file(call: Call, request: FitRequest) -> FitRequest:
    """Return a request with the description that its file has for the classifier, where the user gave none; say so."""
    file = call.words.files.get(_DATA)
    if file is None:
        return request
    if not file.description or request.description is not None:
        return request
    description = file.description[:MAX_DESCRIPTION_CHARS]
    shown = one_line(description)
    shown = shown if len(shown) <= _SHOWN_CHARS else f"{shown[: _SHOWN_CHARS - 1]}…"
    notes_console().print(f"The description is that of {file.name}, {shown!r}; --description gives another.")
    return replace(request, description=description)


def test_rows_of(call: Call) -> FileRows[Any] | None:
    """Return the rows that the file of a training has for testing; ``None`` where it has none."""
    file = call.words.files.get(_DATA)
    return None if file is None else file.test


def evaluated(call: Call, operations: "Operations", result: FitResult, test: FileRows[Any]) -> FileFit:
    """Return the reply of a training with its evaluation on the rows that the file has for testing.

    Raises:
        WindrowError: The rows cannot be evaluated on; the message says that the classifier is saved all the same.
    """
    call.words.files["test_data"] = test
    try:
        report = operations.evaluate(EvaluateRequest(f"{result.model_name}@{result.revision}", test.rows))
    except WindrowError as error:
        error.template += " {trained} is trained and saved all the same."
        error.facts["trained"] = f"{result.model_name}@{result.revision}"
        raise
    return recast(FileFit, result, evaluation=report)
