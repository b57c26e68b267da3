"""Reads the examples of a file, of whichever tool it is, on the machine that has it."""

import io
from pathlib import Path
from typing import Final, Unpack

from windrow.domain.examples import Examples
from windrow.domain.inspection import file_note, row_problem
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import check_read_options
from windrow.files.bad_rows import BadRows
from windrow.files.decoding import Source, check_encoding
from windrow.files.labelled_files import LabelledFile, read_labelled_file, read_labelled_source
from windrow.session.arguments import check_known
from windrow.session.inspecting import AnyFile, InspectOptions, inspect_request_of
from windrow.settings import read_settings

UNNAMED: Final = "the file"
# The options of reading; the others concern an inspection alone.
READING: Final = tuple(name for name in InspectOptions.__annotations__ if name not in ("include_values", "labelled"))


def read_examples(file: AnyFile, *, skip_bad_rows: bool = False, **options: Unpack[InspectOptions]) -> Examples:
    """Read the examples of a file: a table, JSON, or what a labelling tool or a hosted classifier has written.

    Nothing is trained or kept. ``session.fit(name, found.texts, found.labels)`` trains on them.

    Args:
        file: Its path, also that of a folder that a tool has written; its bytes; or the file itself, open for reading
            bytes.
        skip_bad_rows: Whether rows that are wrong are left out, such as a broken line, a blank text or label, or one
            that is too long, here longer than ``WINDROW_MAX_TEXT_CHARS``; otherwise the first one refuses the file.
        **options: How to read it, as ``session.inspect`` has them; ``format`` says what it is where that is not clear.

    Returns:
        The examples, and what is left out with the reasons.

    Raises:
        TypeError: An option is unknown.
        InvalidParameter: There is no such file, or it cannot be read.
        InvalidFile: It is not clear what it is, or a row is wrong; the message names its line.
    """
    check_known("read_examples", options, READING)
    return _examples_of(read_any_file(file, options, skip_bad_rows=skip_bad_rows))


def read_any_file(file: AnyFile, options: InspectOptions, *, skip_bad_rows: bool = False) -> LabelledFile:
    """Read the examples of a file in the forms that people have it in Python.

    Args:
        file: As of :func:`read_examples`.
        options: How to read it; all of them are known.
        skip_bad_rows: As of :func:`read_examples`.

    Raises:
        InvalidInput: As of :func:`read_examples`.
    """
    read_options = inspect_request_of(file, options)
    bad = BadRows(skip_bad_rows, read_settings().max_text_chars if skip_bad_rows else None)
    if isinstance(file, str | Path):
        return read_labelled_file(Path(file), read_options, bad)
    check_read_options(read_options)
    check_encoding(read_options.encoding)
    name = read_options.filename or UNNAMED
    opened = io.BytesIO(file) if isinstance(file, bytes) else file
    source = Source(name, opened, encoding=read_options.encoding)
    return read_labelled_source(source, read_options, bad)


def _examples_of(file: LabelledFile) -> Examples:
    rows = [each.row for each in file.examples]
    is_several = any(isinstance(row, MultiLabelRow) for row in rows)
    left_out = file.left_out
    return Examples(
        format=file.format,
        certainty=file.certainty,
        kind="multi_label" if is_several else "single_label",
        texts=tuple(row.text for row in rows),
        labels=tuple(row.labels if isinstance(row, MultiLabelRow) else row.label for row in rows),
        splits=tuple(each.split for each in file.examples),
        ids=tuple(each.id for each in file.examples),
        lines=tuple(each.line for each in file.examples),
        left_out=tuple(row_problem(row.place, row.template, row.facts, row.id) for row in left_out.rows),
        num_left_out=left_out.num_rows,
        num_unlabelled=left_out.num_unlabelled,
        description=file.description,
        label_descriptions=dict(file.label_descriptions),
        notes=tuple(file_note(note.template, note.facts) for note in file.notes),
    )
