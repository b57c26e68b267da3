"""Read Parquet and Arrow, and folders of such files as Hugging Face saves datasets: names of classes, and splits.

A class is a number in them; its name stands in the description of the file, or in ``dataset_info.json`` beside it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

from windrow.codec.strict import parse_value
from windrow.files.arrow import import_pyarrow, plain_value
from windrow.files.columns import Columns, LabelColumns, UnresolvedColumn, look_for_columns
from windrow.files.formats.form import CERTAIN, NO, Beginning, Document, Example, FileFormat, LeftOut, Reading, Split
from windrow.files.formats.json_documents import member_value
from windrow.files.formats.raw_rows import RawRow, as_label, as_list, as_object
from windrow.files.row_labels import LabelProblem, read_labels

_PARQUET: Final = b"PAR1"
_ARROW_FILE: Final = b"ARROW1"
# Arrow as a stream, which is how datasets are saved on a disk.
_ARROW_STREAM: Final = b"\xff\xff\xff\xff"
_ENDINGS: Final = (".parquet", ".parq", ".arrow")
_BATCH_ROWS: Final = 4_096
_INFO_FILE: Final = "dataset_info.json"
# Nobody has said which class it is.
_UNLABELLED: Final = -1
_PARTS: Final[dict[str, Split]] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
_PART: Final = re.compile(rf"(?<![a-z])(?:{'|'.join(sorted(_PARTS, key=len, reverse=True))})(?![a-z])")


def _sniff(beginning: Beginning) -> float:
    if beginning.member_names:
        return CERTAIN if any(name.lower().endswith(_ENDINGS) for name in beginning.member_names) else NO
    is_stream = beginning.head.startswith(_ARROW_STREAM) and beginning.name.lower().endswith(".arrow")
    return CERTAIN if is_stream or beginning.head.startswith((_PARQUET, _ARROW_FILE)) else NO


@dataclass(frozen=True, slots=True)
class _OpenTable:
    """A file of Parquet or Arrow that is open."""

    schema: Any
    """Its schema of pyarrow."""
    batches: Callable[[], Iterator[Any]]
    """Yields its rows as batches of pyarrow."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the parts of rows stand, the same in all files."""

    columns: Columns
    classes: Mapping[str, Sequence[object]]
    """The names of the classes of each column that holds numbers of classes."""
    is_multi_label: bool


def _read(document: Document) -> Reading:
    files = _files(document)
    # The first file stays open: a pipe gives its bytes only once.
    bytes_of_first = document.open_bytes(files[0])
    try:
        with _refusing(document, files[0]):
            first = _open_table(document, bytes_of_first)
            layout = _layout(document, first, files[0])
    except BaseException:
        bytes_of_first.close()
        raise
    return Reading(
        rows=_rows(document, files, (bytes_of_first, first), layout),
        kind="multi_label" if layout.is_multi_label else "single_label",
    )


def _files(document: Document) -> list[str]:
    """Return the members to read; the file itself is the empty name."""
    if not document.is_container:
        return [""]
    # Folders such as the cache of a program hold copies, under names that no split has.
    found = [
        name
        for name in document.member_names()
        if name.lower().endswith(_ENDINGS) and not PurePosixPath(name).name.startswith("cache-")
    ]
    if not found:
        raise document.error("there is no Parquet or Arrow file in it. Add one, or name another format.")
    return found


def _open_table(document: Document, file: BinaryIO) -> _OpenTable:
    """Open a file by how it begins."""
    pyarrow, parquet = import_pyarrow(document.name)
    head = file.read(len(_ARROW_FILE))
    file.seek(0)
    if head.startswith(_PARQUET):
        opened = parquet.ParquetFile(file)
        return _OpenTable(opened.schema_arrow, lambda: opened.iter_batches(_BATCH_ROWS))
    if head.startswith(_ARROW_FILE):
        reader = pyarrow.ipc.open_file(file)
        return _OpenTable(reader.schema, lambda: map(reader.get_batch, range(reader.num_record_batches)))
    stream = pyarrow.ipc.open_stream(file)
    return _OpenTable(stream.schema, lambda: iter(stream))


@contextmanager
def _refusing(document: Document, name: str) -> Iterator[None]:
    """Refuse a file for what pyarrow has against it.

    Raises:
        InvalidFile: It is damaged.
    """
    pyarrow, _ = import_pyarrow(document.name)
    try:
        yield
    # What is not UTF-8 in it is a ValueError, a time that no calendar has an OverflowError.
    except (pyarrow.ArrowException, OSError, OverflowError, ValueError) as error:
        reason = (str(error) or "it ends too early").splitlines()[0].rstrip(".")
        words = "it is no whole file of Parquet or Arrow ({reason}). Write or fetch it again."
        raise document.error(f"in {{member}}: {words}" if name else words, member=name, reason=reason) from error


def _layout(document: Document, table: _OpenTable, name: str) -> _Layout:
    """Return where text and labels are, by the names of columns, and by what the file says of classes.

    Raises:
        InvalidFile: It is not clear where they are.
    """
    names, types = list(table.schema.names), import_pyarrow(document.name)[0].types
    if repeated := next((each for each in names if names.count(each) > 1), None):
        raise document.error("two columns are called {column!r}. Give each a name of its own.", column=repeated)
    # Without labels, rows are given back as they are: with the numbers of their classes.
    classes = _classes(document, table.schema, name) if document.wants_labels else {}
    try:
        found = look_for_columns(names, document.options)
    except UnresolvedColumn as error:
        raise document.error(f"{error.template}.", None, **error.facts) from error
    if not found.text:
        [unresolved, *_] = found.unresolved
        raise document.error(f"{unresolved.template}.", None, **unresolved.facts)
    label = found.label
    if label is None and found.labels is None and classes and document.wants_labels:
        if len(classes) > 1:
            words = "several columns hold classes, {names:joined}. Name one with {arg:label_column}."
            raise document.error(words, names=sorted(classes), parameter="label_column")
        [label] = classes
    is_list = label is not None and _is_list(types, table.schema.field(label).type)
    if is_list:
        return _Layout(Columns(found.text, labels=LabelColumns(label)), classes, is_multi_label=True)
    return _Layout(Columns(found.text, label, found.labels), classes, is_multi_label=found.labels is not None)


def _is_list(types: Any, kind: Any) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _classes(document: Document, schema: Any, name: str) -> dict[str, Sequence[object]]:
    """Return the names of the classes by column, as the description of the file or a file beside it says."""
    said: object = None
    if described := (schema.metadata or {}).get(b"huggingface"):
        try:
            said = as_object(parse_value(described.decode())[0]).get("info")
        except ValueError:
            said = None  # what somebody else wrote there says nothing of classes
    if not as_object(said).get("features") and name:
        beside = str(PurePosixPath(name).parent / _INFO_FILE)
        said = member_value(document, beside) if beside in document.member_names() else None
    features = as_object(as_object(said).get("features"))
    named = {column: _names(feature) for column, feature in features.items() if column in schema.names}
    return {column: names for column, names in named.items() if names}


def _names(feature: object) -> Sequence[object]:
    """Return the names of the classes of a column, also of lists of classes; nothing for any other column."""
    if isinstance(feature, list) and len(feature) == 1:
        return _names(feature[0])
    values = as_object(feature)
    inner = values.get("feature")
    if isinstance(inner, dict):
        values = inner
    return as_list(values.get("names")) if values.get("_type") == "ClassLabel" else ()


def _rows(
    document: Document, files: Sequence[str], first: tuple[BinaryIO, _OpenTable], layout: _Layout
) -> Iterator[Example | LeftOut]:
    numbers = count(1)
    for name in files:
        is_first = name == files[0]
        with first[0] if is_first else document.open_bytes(name) as file, _refusing(document, name):
            table = first[1] if is_first else _open_table(document, file)
            if missing := [each for each in _needed(layout) if each not in table.schema.names]:
                words = "{member} has no column {column!r}, which other files have. Keep files of one kind together."
                raise document.error(words, member=name, column=missing[0])
            split = _split_of(name or document.name)
            for batch in table.batches():
                # What is damaged or hostile may point anywhere in memory.
                batch.validate(full=True)
                for values in batch.to_pylist():
                    yield _row(next(numbers), values, split, layout)


def _needed(layout: _Layout) -> tuple[str, ...]:
    columns = layout.columns
    several = () if columns.labels is None else columns.labels.names
    return (*columns.text, *(() if columns.label is None else (columns.label,)), *several)


def _split_of(name: str) -> Split | None:
    """Return the part of the data that a file's name, or else one of its folders, speaks of."""
    for part in reversed(PurePosixPath(name.lower()).parts):
        if found := _PART.search(part):
            return _PARTS[found[0]]
    return None


def _row(place: int, raw: Mapping[str, object], split: Split | None, layout: _Layout) -> Example | LeftOut:
    values = as_object(plain_value(raw))
    columns = layout.columns
    row = RawRow(place, columns.text_of(values), None, split, values=values)
    for column, names in layout.classes.items():
        try:
            values = {**values, column: _named(raw.get(column), names)}
        except IndexError:
            if column in _needed(layout):
                words = "{column!r} is {value}, but there are {count} classes. Correct or remove that row."
                return row.wrong(words, column=column, value=str(raw.get(column))[:40], count=len(names))
    labels = _labels(values, columns)
    if isinstance(labels, LabelProblem):
        return row.wrong(labels.template, **labels.facts)
    return RawRow(place, row.text, labels, split, values=values).checked()


def _labels(values: Mapping[str, object], columns: Columns) -> object:
    if columns.label is not None:
        return values.get(columns.label)
    if columns.labels is None:
        return None
    if columns.labels.column is not None and values.get(columns.labels.column) is None:
        return None
    return read_labels(values, columns.labels, as_label)


def _named(value: object, names: Sequence[object]) -> object:
    """Return the name of a class, or those of several; ``None`` for the number that says that it is not known.

    Raises:
        IndexError: There is no such class.
    """
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    if not isinstance(value, int) or isinstance(value, bool) or value == _UNLABELLED:
        return None if value == _UNLABELLED else value
    if value < 0:
        raise IndexError(value)
    return names[value]


FORMAT: Final = FileFormat(
    "hugging_face",
    "Parquet or Arrow, as Hugging Face saves datasets",
    _sniff,
    _read,
    frozenset(("columnar", "container")),
)
