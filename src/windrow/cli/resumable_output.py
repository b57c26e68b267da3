"""Writes an output to ``<out>.partial``, renames it once it is complete, and resumes it where a run broke off."""

import codecs
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from windrow.codec.lenient import parse_lenient
from windrow.disk import reason
from windrow.domain.errors import InvalidFile, InvalidParameter, StorageFailed
from windrow.domain.prediction import Kind
from windrow.files.columns import Columns
from windrow.files.reading import Record, Table
from windrow.files.text_form import BYTE_ORDER_MARK, PLAIN, TextForm

_TABLES: Final = ("csv", "tsv")
# Lines of a list of JSON that are none of its rows.
_NO_ROWS: Final = ("", "]", "[]")
_BLOCK_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class RunFingerprint:
    """The options that determine an output; saved beside an unfinished output.

    Args:
        model_name: The classifier as the user named it.
        reference: The revision that answers, ``name@revision``.
        options: Everything else.
    """

    model_name: str
    reference: str
    options: Mapping[str, object]

    @property
    def kind(self) -> Kind:
        """The classifier's kind, which is an option where it is not the usual one."""
        return "multi_label" if self.options.get("kind") == "multi_label" else "single_label"


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """The rows that an unfinished output holds already.

    Args:
        rows: Whole rows.
        names: The names of its columns, which are numbers where it has no header; ``None`` where there is nothing.
        last: The last row's values by column.
    """

    rows: int = 0
    names: tuple[str, ...] | None = None
    last: Mapping[str, object] = field(default_factory=dict)

    @property
    def has_begun(self) -> bool:
        """Whether what stands before the first row is there."""
        return self.names is not None


@dataclass(slots=True)
class ResumableOutput:
    """An output that is being written.

    Args:
        file: Where to write.
        written: What it held before.
        rows: The number of rows written so far.
    """

    file: TextIO
    written: WrittenRows
    rows: int


def partial_path(out: Path) -> Path:
    """Return the name of an output that is not whole yet."""
    return out.with_name(f"{out.name}.partial")


def find_fingerprint(out: Path, *, resume: bool, overwrite: bool) -> RunFingerprint | None:
    """Return what an unfinished output was begun with, if it is to be gone on with.

    Raises:
        InvalidParameter: Something is there that must not be overwritten, or that cannot be gone on with.
    """
    partial = partial_path(out)
    if not out.parent.is_dir():
        raise InvalidParameter("There is no folder {folder}. Make it first.", {"folder": str(out.parent)})
    if resume and partial.exists():
        return _read_fingerprint(partial)
    if not overwrite and not resume and partial.exists():
        raise InvalidParameter(
            "{file} is left from a run that broke off. Go on with --resume, or begin anew with --overwrite.",
            {"file": str(partial)},
        )
    if not overwrite and out.exists():
        raise InvalidParameter("{file} exists. Choose another name, or add --overwrite.", {"file": str(out)})
    return None


def check_same_run(fingerprint: RunFingerprint, wanted: RunFingerprint, out: Path) -> None:
    """Make sure that a run goes on as it began.

    Raises:
        InvalidParameter: It would answer otherwise.
    """
    if fingerprint.model_name != wanted.model_name:
        difference = "by {begun}, not by {wanted}"
    elif fingerprint.options != wanted.options:
        difference = "with another value of {changed:joined}"
    else:
        return
    keys = dict.fromkeys((*wanted.options, *fingerprint.options))
    facts = {
        "file": str(partial_path(out)),
        "begun": fingerprint.model_name,
        "wanted": wanted.model_name,
        "changed": [key for key in keys if fingerprint.options.get(key) != wanted.options.get(key)],
    }
    raise InvalidParameter(
        f"{{file}} was begun {difference}. Go on as it was begun, or begin anew with --overwrite.", facts
    )


@contextmanager
def output_file(
    out: Path, fingerprint: RunFingerprint, *, resume: bool, form: TextForm = PLAIN
) -> Iterator[ResumableOutput]:
    """Open an output for rows; it gets its name at the end of the block, if nothing went wrong.

    Args:
        out: Its name.
        fingerprint: What decides what its rows look like.
        resume: Whether to go on behind the rows that are there.
        form: How it is written.

    Raises:
        StorageFailed: It cannot be written.
        InvalidParameter: What is there cannot be gone on with.
    """
    path = partial_path(out)
    with _output_errors(path):
        format_ = str(fingerprint.options.get("format"))
        written = _recover(path, format_, form) if resume and path.exists() else WrittenRows()
        _fingerprint_path(path).write_text(json.dumps(asdict(fingerprint)), encoding="utf-8")
        with _open_text(path, form, anew=not resume) as file:
            partial = ResumableOutput(file, written, written.rows)
            try:
                yield partial
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                if partial.rows == 0:
                    path.unlink()
                    _fingerprint_path(path).unlink()
                raise
        path.replace(out)
        _fingerprint_path(path).unlink()


def remaining_records(
    table: Table,
    written: WrittenRows,
    shown: Callable[[str], str] = str,
) -> Iterator[Record]:
    """Yield a file's rows behind those that an output holds already.

    Args:
        table: The file.
        written: What the output holds.
        shown: Returns a value of the file as the output has it.

    Raises:
        InvalidParameter: The last of those is another row than the file has there.
    """
    records = table.records()
    record = None
    for number in range(written.rows):
        record = next(records, None)
        if record is None:
            words = "it has {found} rows, but the output has {kept} already."
            raise _is_another(table, words, found=number, kept=written.rows)
    # The text of a tool's row has no column.
    columns = None if table.tool is not None else table.columns
    if record is not None and columns is not None and not _is_last(record, columns, written, shown):
        words = "the output's row {kept} has another text than this row of the file."
        raise _is_another(table, words, record.line, kept=written.rows)
    yield from records


def _is_last(record: Record, columns: Columns, written: WrittenRows, shown: Callable[[str], str]) -> bool:
    values = {name: shown(value) if isinstance(value, str) else value for name, value in record.values.items()}
    return columns.text_of(written.last) == columns.text_of(values)


def _is_another(table: Table, template: str, line: int | None = None, **facts: object) -> InvalidFile:
    words = f"{template} Is it another file? Begin anew with --overwrite."
    return table.source.error(words, line, **facts, partial=True)


def _open_text(path: Path, form: TextForm, *, anew: bool) -> TextIO:
    return path.open("w" if anew else "a", encoding=form.encoding, newline="", errors=form.errors)


def _fingerprint_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read_fingerprint(partial: Path) -> RunFingerprint:
    try:
        return RunFingerprint(**parse_lenient(_fingerprint_path(partial).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidParameter(
            "It is not known how {file} was begun, since {note} beside it cannot be read. Begin anew with --overwrite.",
            {"file": str(partial), "note": _fingerprint_path(partial).name},
        ) from error


def _recover(path: Path, format_: str, form: TextForm) -> WrittenRows:
    """Cut off a torn last row, and return what is left."""
    with path.open("r+b") as file:
        try:
            found = (_whole_rows if format_ in _TABLES else _whole_objects)(file, form)
            written = WrittenRows() if found.rows == 0 and not found.header else _written(path, found, form)
        except UnicodeDecodeError as error:
            raise _damaged(path) from error
        file.truncate(found.end if written.has_begun else 0)
    return written


@dataclass(slots=True)
class _Found:
    """What an unfinished output holds.

    Args:
        end: The byte behind its last whole row.
        rows: Its whole rows.
        header: The row that names the columns; empty where there is none.
        last: Its last row; empty where there is none.
        is_table: Whether rows are cells; otherwise they are objects of JSON.
    """

    is_table: bool
    end: int = 0
    rows: int = 0
    header: str = ""
    last: str = ""


def _whole_rows(file: BinaryIO, form: TextForm) -> _Found:
    """Find the whole rows of a table. We wrote it, so quotation marks come in pairs."""
    found, at, row, quotes = _Found(is_table=True), 0, "", 0
    before = (1 if form.declaration else 0) + (1 if form.has_header else 0)
    for line in _whole_lines(file, form):
        at += form.size_bytes(line)
        row += line
        quotes += 0 if form.quoting == "none" else line.count('"')
        if quotes % 2:
            continue
        if before:
            before -= 1
            found.header = "" if before or not form.has_header else row.removeprefix(BYTE_ORDER_MARK)
        else:
            found.rows, found.last = found.rows + 1, row.removeprefix(BYTE_ORDER_MARK)
        found.end, row, quotes = at, "", 0
    return found


def _whole_objects(file: BinaryIO, form: TextForm) -> _Found:
    """Find the whole objects of JSONL, or of a list with one on each line, where a comma stands behind all but one."""
    found, at = _Found(is_table=False), 0
    for line in _whole_lines(file, form):
        row = line.removesuffix(form.line_end).removesuffix(",")
        shown = row.removeprefix(BYTE_ORDER_MARK)
        if shown == "[":
            found.header = shown
        elif shown not in _NO_ROWS:
            is_list = found.header == "["
            found.end = at + form.size_bytes(row if is_list else line)
            found.rows, found.last = found.rows + 1, shown
        at += form.size_bytes(line)
    return found


def _whole_lines(file: BinaryIO, form: TextForm) -> Iterator[str]:
    """Yield each line that is written to its end."""
    decoder, rest = codecs.getincrementaldecoder(form.encoding)(), ""
    for block in iter(lambda: file.read(_BLOCK_BYTES), b""):
        *lines, rest = (rest + decoder.decode(block)).split(form.line_end)
        for line in lines:
            yield line + form.line_end


def _written(path: Path, found: _Found, form: TextForm) -> WrittenRows:
    if not found.is_table:
        values = _parsed_json(path, found.last) if found.rows else {}
        return WrittenRows(found.rows, tuple(values) or None, values)
    last = form.parsed(found.last) if found.rows else []
    names = tuple(form.parsed(found.header)) if found.header else tuple(str(n + 1) for n in range(len(last)))
    return WrittenRows(found.rows, names, dict(zip(names, last, strict=False)))


def _parsed_json(path: Path, line: str) -> dict[str, object]:
    try:
        value = parse_lenient(line)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    raise _damaged(path)


def _damaged(path: Path) -> InvalidParameter:
    return InvalidParameter(
        "The last row of {partial} is damaged. Begin anew with --overwrite.", {"partial": str(path)}
    )


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise StorageFailed(
            "{partial} cannot be written: {reason}. Make room or name another place with --out; what is written "
            "already can be gone on with by --resume.",
            {"partial": str(path), "reason": reason(error)},
        ) from error
