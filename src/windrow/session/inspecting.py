"""A file to inspect in the forms that people have it in Python, and how to read it."""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, BinaryIO, Final, TypedDict, TypeVar

from windrow.domain.inspection import InspectRequest
from windrow.domain.read_options import Annotators, Format, Quoting
from windrow.files.decoding import open_bytes
from windrow.files.formats.azure import has_texts_beside
from windrow.files.formats.members import pack_folder
from windrow.session.arguments import check_known, request_of

# So much of a JSON file says whether it is a project with its texts in other files.
_BEGINNING_BYTES: Final = 1 << 16

F = TypeVar("F", bound=Callable[..., Any])
# What a file may be given as.
AnyFile = str | Path | bytes | BinaryIO


class InspectOptions(TypedDict, total=False):
    """How to read a file, and what to tell of it: fields of ``InspectRequest``, for type checkers."""

    format: Format | None
    text_column: str | Iterable[str]
    label_column: str | None
    labels_column: str | None
    label_separator: str | None
    indicator_columns: str | Iterable[str]
    label_names: str | Iterable[str] | Mapping[str, str]
    id_column: str | None
    annotators: Annotators | None
    split_column: str | None
    sheet: str | None
    header: bool | None
    quoting: Quoting | None
    encoding: str | None
    filename: str | None
    include_values: bool
    labelled: bool


def shows_inspect_options(method: F) -> F:
    """Let ``help`` show each option of a method with its type and default in place of ``**options``."""
    found = signature(method)
    own = [each for each in found.parameters.values() if each.kind is not each.VAR_KEYWORD]
    fields = signature(InspectRequest).parameters
    options = [
        fields[name].replace(kind=Parameter.KEYWORD_ONLY, annotation=hint)
        for name, hint in InspectOptions.__annotations__.items()
    ]
    method.__signature__ = found.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    return method


def inspect_request_of(file: AnyFile, options: InspectOptions) -> InspectRequest:
    """Return a request; a file that is named by its path is called like that unless the options say otherwise.

    Args:
        file: The file.
        options: How to read it.

    Raises:
        TypeError: An option is unknown.
        InvalidInput: A value is of the wrong type.
    """
    check_known("inspect", options, InspectOptions.__annotations__)
    given: dict[str, Any] = dict(options)
    if isinstance(names := given.get("label_names"), Mapping):
        given["label_names"] = (json.dumps(dict(names)),)
    for several in ("text_column", "indicator_columns", "label_names"):
        if isinstance(given.get(several), str):
            given[several] = (given[several],)
    if isinstance(file, str | Path) and given.get("filename") is None:
        given["filename"] = Path(file).name
    return request_of(InspectRequest, given)


def open_rows_file(file: AnyFile) -> BinaryIO:
    """Return a file as one that is open, and that is to be closed.

    Args:
        file: Its path, its bytes, or the file itself, open for reading bytes. The files of a folder are packed, and so
            is an Azure project's file with the texts beside it.

    Raises:
        InvalidParameter: There is no such file to read.
        InvalidFile: The folder is too large.
    """
    if isinstance(file, bytes):
        return io.BytesIO(file)
    if not isinstance(file, str | Path):
        return file
    path = Path(file)
    if path.is_dir():
        return pack_folder(path)
    opened = open_bytes(path)
    if path.suffix.lower() != ".json" or not _has_texts_beside(path, opened):
        return opened
    with opened:
        return pack_folder(path.parent, lambda name: name == path.name or name.lower().endswith(".txt"))


def _has_texts_beside(path: Path, opened: BinaryIO) -> bool:
    if not opened.seekable():
        return False
    beginning = opened.read(_BEGINNING_BYTES).decode("utf-8", "ignore")
    opened.seek(0)
    return has_texts_beside(beginning) and any(each.suffix.lower() == ".txt" for each in path.parent.rglob("*"))
